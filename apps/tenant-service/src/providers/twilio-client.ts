import type { Egress } from '@switchboard/service-kit';
import { z } from 'zod';
import { askProvider, type ProviderAnswer } from './ask-provider.ts';
import { unverified, type Account, type Unverified } from './connect-strategy.ts';

/** Twilio's hosts by what they are for. */
type Host = 'api' | 'messaging' | 'accounts';

type TwilioRequest = { readonly form?: Readonly<Record<string, string>>; readonly json?: unknown };

/** One call as one account: by its SID and auth token, or by an API key of it. */
export type TwilioCall = (method: 'GET' | 'POST' | 'DELETE', host: Host, path: string, request?: TwilioRequest) => Promise<ProviderAnswer>;

export type TwilioLogin = { readonly user: string; readonly password: string };

export function twilioCall({ egress, hosts }: { readonly egress: Egress; readonly hosts: Readonly<Record<string, string>> }, { user, password }: TwilioLogin): TwilioCall {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return async (method, host, path, { form, json } = {}) =>
    await askProvider(egress, 'Twilio', {
      method,
      url: `${hosts[host]}${path}`,
      headers: {
        authorization,
        accept: 'application/json',
        ...(form !== undefined && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...(json !== undefined && { 'content-type': 'application/json' }),
      },
      ...(form !== undefined && { body: new URLSearchParams(form).toString() }),
      ...(json !== undefined && { body: JSON.stringify(json) }),
    });
}

export function sidOf({ routingIdentifiers }: Pick<Account, 'routingIdentifiers'>): string {
  return routingIdentifiers['accountSid'] ?? '';
}

/** Path of an account, or of something in it, in the API of 2010. */
export function accountPath(accountSid: string, rest = ''): string {
  return `/2010-04-01/Accounts/${encodeURIComponent(accountSid)}${rest}.json`;
}

const errorSchema = z.object({ code: z.number().optional(), message: z.string().optional() });

/** The number of Twilio's error, where the answer is one. */
export function errorCodeOf(answer: ProviderAnswer): number | undefined {
  return answer.kind === 'answer' ? errorSchema.safeParse(answer.json).data?.code : undefined;
}

/** Undefined when Twilio agreed. `what` completes "Twilio did not …". */
export function refusalOf(answer: ProviderAnswer, what: string): Unverified | undefined {
  if (answer.kind === 'unanswered') return answer.outcome;
  if (answer.status >= 200 && answer.status < 300) return undefined;
  const error = errorSchema.safeParse(answer.json).data;
  const says = error?.code === undefined ? ` (status ${answer.status})` : ` (error ${error.code}: ${(error.message ?? '').slice(0, 200)})`;
  if (answer.status === 401 || (error?.code === 20003 && answer.status !== 403)) return unverified(`Twilio refuses the auth token${says}. Post the primary auth token of the account.`, false);
  if (answer.status === 403) return unverified(`Twilio does not allow the hub to ${what}${says}. It is tried again.`, true, 'provider.forbidden');
  if (answer.status === 404) return unverified(`Twilio could not ${what}: it does not know it in this account${says}. It is tried again.`, true, 'provider.not_found');
  return unverified(`Twilio did not ${what}${says}. It is tried again.`, true, 'provider.rejected');
}

/** The answer read by a schema, or why not. */
export function readAnswer<T extends z.ZodType>(answer: ProviderAnswer, schema: T, what: string): { readonly kind: 'read'; readonly value: z.output<T> } | Unverified {
  const refused = refusalOf(answer, what);
  if (refused !== undefined) return refused;
  const parsed = schema.safeParse(answer.kind === 'answer' ? answer.json : undefined);
  return parsed.success ? { kind: 'read', value: parsed.data } : unverified(`What answers for Twilio does not speak as Twilio does: it could not ${what}. Check apiBaseUrl.`, false, 'provider.rejected');
}

export const accountSchema = z.object({ sid: z.string(), status: z.string(), friendly_name: z.string().nullish(), owner_account_sid: z.string().nullish(), auth_token: z.string().nullish() });
export type TwilioAccount = z.output<typeof accountSchema>;

/** The account that the call is made as, or a subaccount of it. */
export async function fetchAccount(call: TwilioCall, accountSid: string): Promise<{ readonly kind: 'read'; readonly value: TwilioAccount } | Unverified> {
  const answer = await call('GET', 'api', accountPath(accountSid));
  if (answer.kind === 'answer' && answer.status === 401) {
    return unverified(`Twilio refuses the auth token of account ${accountSid} (status ${answer.status}). Give the primary auth token of this very account, not one of the main account or of another one; a closed account has none.`, false);
  }
  const read = readAnswer(answer, accountSchema, `find account ${accountSid}`);
  // To the letter: webhooks name it as Twilio writes it.
  if (read.kind === 'read' && read.value.sid !== accountSid) return unverified(`Twilio answers for account ${read.value.sid.slice(0, 40)}, not ${accountSid}. Give accountSid as Twilio writes it.`, false, 'provider.not_found');
  return read;
}

/** Why nothing works in an account that is not active. */
export function statusFault({ sid, status }: TwilioAccount): Unverified | undefined {
  if (status === 'active') return undefined;
  if (status === 'suspended') return unverified(`The Twilio account ${sid} is suspended: it sends and receives nothing. Have it made active again at Twilio (its balance, or its main account). It is tried again.`, true, 'provider.forbidden');
  return unverified(`The Twilio account ${sid} is ${status}. A closed account does not come back: give another one.`, false, 'provider.forbidden');
}
