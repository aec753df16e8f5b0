import { parseJson } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import type { EgressRequest } from '@switchboard/service-kit';
import type { z } from 'zod';
import { accountUrlOf, type ChatwootAccount } from './account.ts';
import { refusalOf } from './refusal-of.ts';

/** Milliseconds. Chatwoot answers in tens of them; a form with files takes as long as the files do. */
const timeoutMs = 20_000;
const formTimeoutMs = 120_000;
/** Bytes: a page of a hundred long messages. */
const replyBytesMax = 16 * 1024 * 1024;

export type ChatwootCall<Reply extends z.ZodType> = {
  readonly method: EgressRequest['method'];
  /** Below the account: `/conversations/7/messages`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** What is not defined in it is not sent. */
  readonly json?: unknown;
  readonly form?: FormData;
  readonly reply: Reply;
};

/**
 * One call of the Application API. Throws HubErrors that say their fate (contract, 3.3); a good answer of another form than the documented one
 * is `provider.unavailable`, because whoever asked cannot go on, and what was written stands.
 */
export async function callChatwoot<Reply extends z.ZodType>(account: ChatwootAccount, call: ChatwootCall<Reply>): Promise<z.output<Reply>> {
  const { method, path, query = {}, json, form, reply: schema } = call;
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) search.set(name, String(value));
  const reply = await account.egress.request({
    method,
    url: `${accountUrlOf(account)}${path}${search.size === 0 ? '' : `?${search}`}`,
    // The documented spelling; servers behind a proxy that drops names with underscores are told to let it through (contract, 2).
    headers: { api_access_token: account.token, accept: 'application/json', ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
    ...(form === undefined && json === undefined ? {} : { body: form ?? JSON.stringify(json) }),
    timeoutMs: form === undefined ? timeoutMs : formTimeoutMs,
    responseMaxBytes: replyBytesMax,
  });
  if (reply.status >= 300) throw refusalOf(reply);
  const parsed = schema.safeParse(parseJson(reply.body));
  if (parsed.success) return parsed.data;
  throw hubError('provider.unavailable', { publicMessage: 'Chatwoot answered in a form that is not its own; is the address that of a Chatwoot server?', detail: { path, status: reply.status, sent: true }, cause: parsed.error });
}
