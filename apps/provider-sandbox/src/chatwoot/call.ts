import { isRecord, jsonObjectOf, type Answer, type Exchange } from '../exchange.ts';
import { parseMultipart, type FormPart } from '../parse-multipart.ts';
import type { BotAccess, Caller } from './authenticate.ts';
import type { ChatwootActions } from './chatwoot-actions.ts';
import type { ChatwootStore } from './chatwoot-store.ts';
import { notFound, Refused } from './refusals.ts';
import type { Site } from './render-people.ts';
import type { ChatwootAccount, ChatwootConversation } from './rows.ts';

/** One authenticated call of the Application API. */
export type Call = {
  readonly site: Site;
  readonly store: ChatwootStore;
  readonly actions: ChatwootActions;
  readonly caller: Caller;
  readonly account: ChatwootAccount;
  readonly query: URLSearchParams;
  readonly params: Params;
  /** What the path's names matched, behind the account. */
  readonly match: readonly string[];
  readonly now: Date;
};

/** A path under /api/v1/accounts/:accountId. `admin`: users with the role agent are refused. */
export type CallRoute = { readonly method: string; readonly path: string; readonly bots: BotAccess; readonly admin?: true; readonly handle: (call: Call) => Answer };

/** A body as Rails reads it: JSON or a form. */
export type Params = { readonly fields: Readonly<Record<string, unknown>>; readonly files: readonly FormPart[] };

/** Undefined: the body says it is JSON and is not. */
export function readParams(exchange: Exchange): Params | undefined {
  const contentType = exchange.headers['content-type'];
  const parts = parseMultipart(contentType, exchange.body);
  if (parts !== undefined) return { fields: fieldsOf(parts.filter(({ fileName }) => fileName === undefined)), files: parts.filter(({ fileName }) => fileName !== undefined) };
  // Without the right type Rails reads no JSON: the call has no parameters.
  if (exchange.body.length === 0 || !/\bjson\b/i.test(contentType ?? '')) return { fields: {}, files: [] };
  const fields = jsonObjectOf(exchange);
  return fields && { fields, files: [] };
}

export const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined);
export const idOf = (value: unknown): number | undefined => (/^\d{1,15}$/.test(textOf(value) ?? '') ? Number(value) : undefined);
export const recordOf = (value: unknown): Record<string, unknown> => (isRecord(value) ? value : {});
export const isTrue = (value: unknown): boolean => value === true || value === 'true' || value === '1' || value === 1;

/** The conversation the path names; throws Refused when the account has none such. */
export function conversationOf({ store, account, match }: Call): ChatwootConversation {
  const conversation = store.conversation(account.id, idOf(match[0]) ?? 0);
  if (conversation === undefined) throw new Refused(notFound());
  return conversation;
}

export const isAdministrator = ({ caller }: Call): boolean => caller.kind === 'user' && caller.user.role === 'administrator';

/** `a[b]` makes an object, `a[]` an array. */
function fieldsOf(parts: readonly FormPart[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  for (const { name, bytes } of parts) {
    const [, key = name, inner] = /^([^[]+)\[([^\]]*)\]$/.exec(name) ?? [];
    const value = bytes.toString('utf8');
    if (inner === undefined) fields[key] = value;
    else if (inner === '') fields[key] = [...(Array.isArray(fields[key]) ? (fields[key] as unknown[]) : []), value];
    else fields[key] = { ...recordOf(fields[key]), [inner]: value };
  }
  return fields;
}
