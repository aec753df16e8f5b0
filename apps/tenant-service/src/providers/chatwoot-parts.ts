import type { Account, ConnectContext, Learned, PlatformContext, Unverified } from './connect-strategy.ts';
import { unverified } from './connect-strategy.ts';
import { isSince, listBots, listWebhooks, readBot, readInbox, readNothing, readWebhook, signsAccountSince, signsInboxSince, type ChatwootCall, type ChatwootInbox } from './chatwoot-client.ts';

/** What the hub makes in a Chatwoot account: webhooks, a bot, an inbox. Each is looked for before it is made, and kept before the next step. */

export type Part = { readonly kind: 'part'; readonly learned: Learned } | Unverified;
type Keep = (learned: Learned) => Promise<boolean>;
type Wanted = { readonly account: Account; readonly version: string; readonly webhookUrl: string; readonly keep: Keep };

/** What an account's webhook tells of. Contacts are not among it: in a shared account nothing says whose they are. */
const subscriptions = ['message_created', 'message_updated', 'conversation_status_changed', 'conversation_updated'];

/** Whether a URL is ours, with or without a secret behind it. */
export function isOurs(url: string | null | undefined, webhookUrl: string): boolean {
  return url === webhookUrl || url?.startsWith(`${webhookUrl}/`) === true;
}

/** The webhook of a whole account, there once: found by its address, made where there is none, set to the address that the server's version needs. */
export async function ensureAccountWebhook(call: ChatwootCall, { account, version, webhookUrl, keep }: Wanted): Promise<Part> {
  const webhooks = await listWebhooks(call, account);
  if ('kind' in webhooks) return webhooks;
  const signs = isSince(version, signsAccountSince);
  const url = signs ? webhookUrl : withSecret(webhookUrl, account);
  const known = webhooks.find((webhook) => isOurs(webhook.url, webhookUrl));
  const attempted = known === undefined ? 'add a webhook' : 'change a webhook';
  const set = known === undefined ? await call('POST', '/webhooks', { url, name: 'Switchboard', subscriptions }) : known.url === url ? undefined : await call('PATCH', `/webhooks/${known.id}`, { url, subscriptions });
  const read = set === undefined ? undefined : readWebhook(set, attempted, account);
  if (read !== undefined && 'kind' in read) return read;
  const webhook = read?.value ?? known;
  if (webhook === undefined) return unverified('Chatwoot did not say which webhook it added. It is tried again.', true);
  const secret = webhook.secret ?? known?.secret ?? undefined;
  const fault = missingSecret(signs, secret, account, signsAccountSince);
  if (fault !== undefined) return fault;
  const learned = { settings: { accountWebhookId: String(webhook.id) }, ...(signs && secret !== undefined && { credentials: { webhookSecret: secret } }) };
  await keep(learned);
  return { kind: 'part', learned };
}

/** The webhook of one API inbox. One that the tenant had before and that leads elsewhere is not the hub's to change. */
export async function ensureInboxWebhook(call: ChatwootCall, inbox: ChatwootInbox, isMade: boolean, { account, version, webhookUrl }: Omit<Wanted, 'keep'>): Promise<Part> {
  const signs = isSince(version, signsInboxSince);
  const url = signs ? webhookUrl : withSecret(webhookUrl, account);
  const present = inbox.webhook_url ?? '';
  if (!isMade && present !== '' && !isOurs(present, webhookUrl)) {
    return unverified(`Inbox ${inbox.id} sends its webhooks to another address already. Remove it there, or leave inboxId out to have an inbox made.`, false, 'provider.rejected');
  }
  const read = present === url ? { value: inbox } : readInbox(await call('PATCH', `/inboxes/${inbox.id}`, { channel: { webhook_url: url } }), 'set the webhook of an inbox', account);
  if ('kind' in read) return read;
  const secret = read.value.secret ?? inbox.secret ?? undefined;
  const fault = missingSecret(signs, secret, account, signsInboxSince);
  if (fault !== undefined) return fault;
  return { kind: 'part', learned: signs && secret !== undefined ? { credentials: { webhookSecret: secret } } : {} };
}

/** An agent bot in whose name the hub writes; it is given no address, since events come by webhook. */
export async function ensureBot(call: ChatwootCall, name: string, { account, keep }: Pick<Wanted, 'account' | 'keep'>): Promise<Part> {
  const given = account.credentials['botToken'];
  if (given !== undefined && account.settings['botId'] !== undefined) return { kind: 'part', learned: {} };
  const bots = await listBots(call, account);
  if ('kind' in bots) return bots;
  if (given !== undefined) {
    const [named] = bots.filter((bot) => bot.access_token === given);
    return { kind: 'part', learned: named === undefined ? {} : { settings: { botId: String(named.id) } } };
  }
  const [lost] = bots.filter((bot) => bot.name === name);
  if (lost !== undefined && typeof lost.access_token !== 'string') {
    // Made by a try that broke off, and its token is told once: another one takes its place.
    const removed = readNothing(await call('DELETE', `/agent_bots/${lost.id}`), 'remove an agent bot', account);
    if ('kind' in removed) return removed;
  }
  const found = lost !== undefined && typeof lost.access_token === 'string' ? { value: lost } : readBot(await call('POST', '/agent_bots', { name, description: 'Writes what the hub sends', outgoing_url: '', bot_type: 0, bot_config: {} }), 'add an agent bot', account);
  if ('kind' in found) return found;
  const { id, access_token: botToken } = found.value;
  if (typeof botToken !== 'string') return unverified('Chatwoot did not show the token of the agent bot. Use the access token of an administrator, or give botToken.', false, 'provider.forbidden');
  const learned = { settings: { botId: String(id), botOrigin: 'created' }, credentials: { botToken } };
  await keep(learned);
  return { kind: 'part', learned };
}

export type FoundInbox = { readonly kind: 'inbox'; readonly inbox: ChatwootInbox; readonly isMade: boolean };

/** The inbox that the tenant named, that the hub has made before, or a new one. `inboxes`: all of the account. */
export async function ensureInbox(call: ChatwootCall, inboxes: readonly ChatwootInbox[], { account, context, webhookUrl }: { readonly account: Account; readonly context: ConnectContext; readonly webhookUrl: string | undefined }): Promise<FoundInbox | Unverified> {
  const { inboxId = account.routingIdentifiers['inboxId'], inboxOrigin, inboxName } = account.settings;
  const known = inboxes.find(({ id }) => String(id) === inboxId);
  const isMade = inboxId === undefined || inboxOrigin === 'created';
  if (known === undefined && !isMade) return unverified(`Account ${account.settings['accountId']} has no inbox ${inboxId}, or the token may not see it. Check inboxId, or leave it out to have an inbox made.`, true, 'provider.not_found');

  // The name says which connection it is for until that is stored; people see the one they chose.
  const marker = `Switchboard ${context.connectionId}`;
  const ours = known ?? inboxes.find(({ name, webhook_url: url }) => name === marker || isOurs(url, context.webhookUrl));
  const found = ours === undefined ? readInbox(await call('POST', '/inboxes', newInbox(marker, account, webhookUrl)), 'add an inbox', account) : { value: ours };
  if ('kind' in found) return found;
  // Whoever comes next finds it by its name, which it therefore keeps.
  if (known === undefined && !(await context.keep({ settings: { inboxId: String(found.value.id), inboxOrigin: 'created' } }))) return unverified('The credentials were posted again meanwhile. It is tried again.', true);
  if (!isMade || inboxName === undefined || found.value.name === inboxName) return { kind: 'inbox', inbox: found.value, isMade };
  const renamed = readInbox(await call('PATCH', `/inboxes/${found.value.id}`, { name: inboxName }), 'name an inbox', account);
  return 'kind' in renamed ? renamed : { kind: 'inbox', inbox: { ...found.value, name: inboxName }, isMade };
}

function newInbox(name: string, { settings }: Account, webhookUrl: string | undefined): object {
  const channel =
    settings['inboxType'] === 'website'
      ? { type: 'web_widget', website_url: settings['websiteUrl'], pre_chat_form_enabled: false, hmac_mandatory: false }
      : { type: 'api', ...(webhookUrl !== undefined && { webhook_url: webhookUrl }), hmac_mandatory: false };
  // One conversation a contact, as the hub has it.
  return { name, greeting_enabled: false, enable_auto_assignment: true, lock_to_single_conversation: true, channel };
}

export function withSecret(webhookUrl: string, { credentials }: Account): string {
  return `${webhookUrl}/${encodeURIComponent(credentials['webhookSecret'] ?? '')}`;
}

function missingSecret(signs: boolean, secret: string | undefined, { settings }: Account, since: string): Unverified | undefined {
  if (!signs || secret !== undefined || settings['webhookSecretOrigin'] === 'given') return undefined;
  return unverified(`Chatwoot signs its webhooks (since ${since}) and does not show this token with which secret. Use the access token of an administrator, or give webhookSecret.`, false, 'provider.forbidden');
}

/** The name of the platform's bot in an account: another installation's is another one. */
export function platformBotName({ webhookUrl }: PlatformContext): string {
  return `Switchboard ${new URL(webhookUrl).host}`;
}
