import { z } from 'zod';
import { askProvider, type ProviderAnswer } from './ask-provider.ts';
import { unverified, type Account, type AskContext, type Unverified } from './connect-strategy.ts';

export type ChatwootCall = (method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) => Promise<ProviderAnswer>;
type Answered = Extract<ProviderAnswer, { kind: 'answer' }>;

const errorSchema = z.object({ error: z.string().optional(), message: z.string().optional() });
const versionSchema = z.object({ version: z.string().regex(/^\d+\.\d+/) });
const inboxSchema = z.object({
  id: z.number().int(),
  name: z.string(),
  channel_type: z.string(),
  webhook_url: z.string().nullish(),
  // Administrators alone see it.
  secret: z.string().nullish(),
  website_token: z.string().nullish(),
  inbox_identifier: z.string().nullish(),
});
export type ChatwootInbox = z.infer<typeof inboxSchema>;
const inboxListSchema = z.object({ payload: z.array(inboxSchema) });
const webhookSchema = z.object({ id: z.number().int(), url: z.string(), secret: z.string().nullish() });
export type ChatwootWebhook = z.infer<typeof webhookSchema>;
const webhookListSchema = z.object({ payload: z.object({ webhooks: z.array(webhookSchema) }) });
const webhookReplySchema = z.union([z.object({ payload: z.object({ webhook: webhookSchema }) }).transform(({ payload }) => payload.webhook), webhookSchema]);
const botSchema = z.object({ id: z.number().int(), name: z.string(), access_token: z.string().nullish() });
export type ChatwootBot = z.infer<typeof botSchema>;
const botListSchema = z.array(botSchema);

/** First versions that sign: an API inbox's webhooks, and an account's. */
export const signsInboxSince = '4.13.0';
export const signsAccountSince = '4.12.0';

/** Calls of the Application API in the account, with the token of an administrator. */
export function chatwootCall({ egress, hosts }: Pick<AskContext, 'egress' | 'hosts'>, account: Account): ChatwootCall {
  const { accountId = '' } = account.settings;
  return (method, path, body) =>
    askProvider(egress, 'Chatwoot', {
      method,
      url: `${hosts['api']}/api/v1/accounts/${encodeURIComponent(accountId)}${path}`,
      headers: { api_access_token: account.credentials['apiToken'] ?? '', accept: 'application/json', ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

/** What runs at the address; asked without credentials, so that no other server gets them. */
export async function fetchVersion({ egress, hosts }: Pick<AskContext, 'egress' | 'hosts'>): Promise<{ readonly kind: 'version'; readonly version: string } | Unverified> {
  const answer = await askProvider(egress, 'Chatwoot', { method: 'GET', url: `${hosts['api']}/api`, headers: { accept: 'application/json' } });
  if (answer.kind === 'unanswered') return answer.outcome;
  const found = versionSchema.safeParse(answer.json).data;
  if (answer.status !== 200 || found === undefined) return unverified(`What answers at ${hosts['api']}/api is no Chatwoot (status ${answer.status}). Give the address of the server itself, such as https://app.chatwoot.com.`, false, 'provider.not_found');
  return { kind: 'version', version: found.version };
}

export function isSince(version: string, first: string): boolean {
  const [have, want] = [version, first].map((text) => text.split('.').map((part) => Number.parseInt(part, 10) || 0));
  for (let place = 0; place < 3; place++) {
    const difference = (have?.[place] ?? 0) - (want?.[place] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}

export async function listInboxes(call: ChatwootCall, account: Account): Promise<readonly ChatwootInbox[] | Unverified> {
  const answer = await call('GET', '/inboxes');
  const read = readAnswer(answer, inboxListSchema, 'list the inboxes', account);
  return 'kind' in read ? read : read.value.payload;
}

export async function listWebhooks(call: ChatwootCall, account: Account): Promise<readonly ChatwootWebhook[] | Unverified> {
  const read = readAnswer(await call('GET', '/webhooks'), webhookListSchema, 'list the webhooks', account);
  return 'kind' in read ? read : read.value.payload.webhooks;
}

export async function listBots(call: ChatwootCall, account: Account): Promise<readonly ChatwootBot[] | Unverified> {
  const read = readAnswer(await call('GET', '/agent_bots'), botListSchema, 'list the agent bots', account);
  return 'kind' in read ? read : read.value;
}

export const readInbox = (answer: ProviderAnswer, attempted: string, account: Account) => readAnswer(answer, inboxSchema, attempted, account);
export const readWebhook = (answer: ProviderAnswer, attempted: string, account: Account) => readAnswer(answer, webhookReplySchema, attempted, account);
export const readBot = (answer: ProviderAnswer, attempted: string, account: Account) => readAnswer(answer, botSchema, attempted, account);
export const readNothing = (answer: ProviderAnswer, attempted: string, account: Account) => readAnswer(answer, z.unknown(), attempted, account);

function readAnswer<Schema extends z.ZodType>(answer: ProviderAnswer, schema: Schema, attempted: string, account: Account): { readonly value: z.output<Schema> } | Unverified {
  if (answer.kind === 'unanswered') return answer.outcome;
  if (answer.status < 200 || answer.status > 299) return refusalOf(answer, attempted, account);
  const parsed = schema.safeParse(answer.json);
  return parsed.success ? { value: parsed.data } : unverified(`Chatwoot answered something unexpected when asked to ${attempted}. It is tried again.`, true);
}

function refusalOf(answer: Answered, attempted: string, { settings }: Account): Unverified {
  const parsed = errorSchema.safeParse(answer.json).data;
  const error = (parsed?.error ?? parsed?.message ?? '').slice(0, 160);
  const says = error === '' ? ` (status ${answer.status})` : `: ${error}`;
  switch (answer.status) {
    case 401:
      // One status for two things: Chatwoot answers a missing permission with 401 too.
      if (/invalid access token/i.test(error)) return unverified('Chatwoot refuses the access token. Post a valid one, of an administrator of the account.', false);
      return unverified(`The access token may not ${attempted}${says}. Use the token of an administrator of account ${settings['accountId']}.`, false, 'provider.forbidden');
    case 402:
      return unverified(`The plan of the Chatwoot account does not allow to ${attempted}${says}. It is tried again.`, true, 'provider.forbidden');
    case 403:
      return unverified(`Chatwoot does not allow to ${attempted}${says}. On Chatwoot Cloud, the API is part of the paid plans. It is tried again.`, true, 'provider.forbidden');
    case 404:
      return unverified(`Chatwoot has no account ${settings['accountId']}, or not what was asked for${says}. Check accountId.`, false, 'provider.not_found');
    default:
      return unverified(`Chatwoot did not ${attempted}${says}. Check the values and post the credentials again.`, false);
  }
}
