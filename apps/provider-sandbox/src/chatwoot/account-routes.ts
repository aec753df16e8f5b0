import type { Answer } from '../exchange.ts';
import { idOf, isAdministrator, recordOf, textOf, type Call, type CallRoute } from './call.ts';
import { newToken, type ChatwootStore } from './chatwoot-store.ts';
import { invalidRecord, notFound, refusal, Refused, throttled } from './refusals.ts';
import { blobUrl } from './render-message.ts';
import { agentOf, botOf } from './render-people.ts';
import type { ChatwootBot, ChatwootUser, ChatwootWebhook } from './rows.ts';
import { can } from './version-gates.ts';

const urlLengthMax = 2048;
const allowedEvents = new Set(['conversation_status_changed', 'conversation_updated', 'conversation_created', 'contact_created', 'contact_updated', 'message_created', 'message_updated', 'webwidget_triggered', 'inbox_created', 'inbox_updated', 'conversation_typing_on', 'conversation_typing_off']);
const defaultEvents = ['conversation_status_changed', 'conversation_updated', 'conversation_created', 'contact_created', 'contact_updated', 'message_created', 'message_updated', 'webwidget_triggered'];

export const accountRoutes: CallRoute[] = [
  { method: 'GET', path: '', bots: 'never', handle: ({ account }) => ({ status: 200, json: { id: account.id, name: account.name, locale: 'en', status: 'active', features: {} } }) },
  { method: 'GET', path: '/agents', bots: 'never', handle: ({ store, account }) => ({ status: 200, json: store.users(account.id).map(agentOf) }) },
  { method: 'POST', path: '/agents', bots: 'never', admin: true, handle: createAgent },
  { method: 'GET', path: '/agent_bots', bots: 'never', handle: (call) => ({ status: 200, json: call.store.bots(call.account.id).map((bot) => botOf(call.store, bot, isAdministrator(call))) }) },
  { method: 'POST', path: '/agent_bots', bots: 'never', admin: true, handle: createBot },
  { method: 'GET', path: '/agent_bots/:id', bots: 'never', handle: (call) => ({ status: 200, json: botOf(call.store, botAt(call), isAdministrator(call)) }) },
  { method: 'PATCH', path: '/agent_bots/:id', bots: 'never', admin: true, handle: updateBot },
  { method: 'DELETE', path: '/agent_bots/:id', bots: 'never', admin: true, handle: removeBot },
  { method: 'POST', path: '/agent_bots/:id/reset_secret', bots: 'never', admin: true, handle: resetBotSecret },
  { method: 'GET', path: '/webhooks', bots: 'never', admin: true, handle: (call) => ({ status: 200, json: { payload: { webhooks: call.store.webhooks(call.account.id).map((webhook) => webhookOf(call, webhook)) } } }) },
  { method: 'POST', path: '/webhooks', bots: 'never', admin: true, handle: createWebhook },
  { method: 'PATCH', path: '/webhooks/:id', bots: 'never', admin: true, handle: updateWebhook },
  { method: 'PUT', path: '/webhooks/:id', bots: 'never', admin: true, handle: updateWebhook },
  { method: 'DELETE', path: '/webhooks/:id', bots: 'never', admin: true, handle: removeWebhook },
  { method: 'POST', path: '/upload', bots: 'never', handle: upload },
];

/** A person of the account with a token of its own. */
export function addUser(store: ChatwootStore, given: Omit<ChatwootUser, 'id'>, token: string = newToken()): { user: ChatwootUser; token: string } {
  const user = { id: store.next('user'), ...given };
  store.putUser(user);
  store.putToken(token, { kind: 'user', id: user.id });
  return { user, token };
}

function createAgent({ store, account, params }: Call): Answer {
  const email = textOf(params.fields['email'])?.trim().toLowerCase();
  const role = textOf(params.fields['role']) ?? 'agent';
  if (!email || !/^[^@\s]+@[^@\s]+$/.test(email)) return invalidRecord("Email can't be blank", 'email');
  if (role !== 'agent' && role !== 'administrator') return invalidRecord('Role is not included in the list', 'role');
  if (store.users(account.id).some((user) => user.email === email)) return invalidRecord('User has already been taken', 'user_id');
  return { status: 200, json: agentOf(addUser(store, { accountId: account.id, name: textOf(params.fields['name']) ?? email, email, role }).user) };
}

function botAt({ store, account, match }: Call): ChatwootBot {
  const bot = store.bot(idOf(match[0]) ?? 0);
  if (bot === undefined || bot.accountId !== account.id) throw new Refused(notFound());
  return bot;
}

function outgoingUrlOf(value: unknown): string | null {
  const url = textOf(value) || null;
  if ((url?.length ?? 0) > urlLengthMax) throw new Refused(invalidRecord(`Outgoing url is too long (maximum is ${urlLengthMax} characters)`, 'outgoing_url'));
  return url;
}

function createBot({ store, account, params }: Call): Answer {
  const { fields } = params;
  const type = fields['bot_type'];
  if (type !== undefined && type !== 0 && type !== 'webhook') return { status: 500, json: { status: 500, error: 'Internal Server Error' } };
  const bot: ChatwootBot = {
    id: store.next('agent_bot'),
    accountId: account.id,
    name: textOf(fields['name']) ?? '',
    description: textOf(fields['description']) ?? null,
    outgoingUrl: outgoingUrlOf(fields['outgoing_url']),
    accessToken: newToken(),
    secret: newToken(),
    botConfig: recordOf(fields['bot_config']),
  };
  store.putBot(bot);
  store.putToken(bot.accessToken, { kind: 'bot', id: bot.id });
  return { status: 200, json: botOf(store, bot, true) };
}

function updateBot(call: Call): Answer {
  const bot = botAt(call);
  const { fields } = call.params;
  const changed = { ...bot, name: textOf(fields['name']) ?? bot.name, description: textOf(fields['description']) ?? bot.description, outgoingUrl: fields['outgoing_url'] === undefined ? bot.outgoingUrl : outgoingUrlOf(fields['outgoing_url']) };
  call.store.putBot(changed);
  return { status: 200, json: botOf(call.store, changed, true) };
}

function removeBot(call: Call): Answer {
  const bot = botAt(call);
  for (const inbox of call.store.inboxes(call.account.id)) if (inbox.botId === bot.id) call.store.putInbox({ ...inbox, botId: null });
  call.store.removeToken(bot.accessToken);
  call.store.removeBot(bot.id);
  return { status: 200 };
}

function resetBotSecret(call: Call): Answer {
  const bot = botAt(call);
  if (!can(call.store.server.version, 'signsInboxWebhooks')) return { status: 404, json: { status: 404, error: 'Not Found' } };
  const changed = { ...bot, secret: newToken() };
  call.store.putBot(changed);
  return { status: 200, json: botOf(call.store, changed, true) };
}

function webhookOf({ store, account }: Call, webhook: ChatwootWebhook): Record<string, unknown> {
  const { id, name, url, subscriptions, secret } = webhook;
  return { id, name, url, account_id: account.id, subscriptions, ...(can(store.server.version, 'signsAccountWebhooks') ? { secret } : {}) };
}

const wrapped = (call: Call, webhook: ChatwootWebhook): Answer => ({ status: 200, json: { payload: { webhook: webhookOf(call, webhook) } } });

function assertWebhook({ store, account }: Call, id: number, url: string, subscriptions: readonly unknown[]): void {
  if (!/^https?:\/\/[^\s]+$/.test(url) || !URL.canParse(url)) throw new Refused(invalidRecord('Url is invalid', 'url'));
  if (store.webhooks(account.id).some((other) => other.id !== id && other.url === url)) throw new Refused(invalidRecord('Url has already been taken', 'url'));
  if (subscriptions.length === 0 || subscriptions.some((event) => typeof event !== 'string' || !allowedEvents.has(event))) throw new Refused(invalidRecord('Subscriptions Invalid events', 'subscriptions'));
}

/** The body may be wrapped in `webhook`, as Rails wraps parameters. */
function webhookFields(call: Call): Record<string, unknown> {
  return { ...call.params.fields, ...recordOf(call.params.fields['webhook']) };
}

function createWebhook(call: Call): Answer {
  const fields = webhookFields(call);
  const subscriptions = Array.isArray(fields['subscriptions']) ? (fields['subscriptions'] as unknown[]) : defaultEvents;
  const url = textOf(fields['url']) ?? '';
  assertWebhook(call, 0, url, subscriptions);
  const webhook: ChatwootWebhook = { id: call.store.next('webhook'), accountId: call.account.id, url, name: textOf(fields['name']) ?? null, subscriptions: subscriptions.map(String), secret: newToken() };
  call.store.putWebhook(webhook);
  return wrapped(call, webhook);
}

function webhookAt({ store, account, match }: Call): ChatwootWebhook {
  const webhook = store.webhooks(account.id).find(({ id }) => id === idOf(match[0]));
  if (webhook === undefined) throw new Refused(notFound());
  return webhook;
}

function updateWebhook(call: Call): Answer {
  const webhook = webhookAt(call);
  const fields = webhookFields(call);
  const subscriptions = Array.isArray(fields['subscriptions']) ? (fields['subscriptions'] as unknown[]) : webhook.subscriptions;
  const changed = { ...webhook, url: textOf(fields['url']) ?? webhook.url, name: textOf(fields['name']) ?? webhook.name, subscriptions: subscriptions.map(String) };
  assertWebhook(call, webhook.id, changed.url, subscriptions);
  call.store.putWebhook(changed);
  return wrapped(call, changed);
}

function removeWebhook(call: Call): Answer {
  call.store.removeWebhook(webhookAt(call));
  return { status: 200 };
}

/** Sixty an hour and account; counted here by the minute's share of a generous hour. */
const uploadsPerMinute = 60;

function upload({ store, account, params, site, now }: Call): Answer {
  if (!store.within('upload', account.id, uploadsPerMinute, now)) return throttled();
  const file = params.files.find(({ name }) => name === 'attachment');
  if (file === undefined) return refusal(422, 'No file or URL provided');
  const [fileName, contentType] = [file.fileName ?? 'file', file.contentType ?? 'application/octet-stream'];
  const blob = store.addBlob({ fileName, contentType, bytes: file.bytes });
  return { status: 200, json: { file_url: blobUrl(site, blob, fileName), blob_key: blob, blob_id: blob } };
}
