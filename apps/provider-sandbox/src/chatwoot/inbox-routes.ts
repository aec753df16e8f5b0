import type { Answer } from '../exchange.ts';
import { idOf, isAdministrator, isTrue, recordOf, textOf, type Call, type CallRoute } from './call.ts';
import { newToken } from './chatwoot-store.ts';
import { invalidRecord, notAllowed, notFound, refusal, Refused } from './refusals.ts';
import { agentOf, botOf, inboxOf } from './render-people.ts';
import type { ChatwootInbox } from './rows.ts';
import { can } from './version-gates.ts';

const urlLengthMax = 2048;
const settingNames = ['greeting_enabled', 'greeting_message', 'enable_auto_assignment', 'enable_email_collect', 'csat_survey_enabled', 'working_hours_enabled', 'timezone', 'allow_messages_after_resolved'];

export const inboxRoutes: CallRoute[] = [
  { method: 'GET', path: '/inboxes', bots: 'never', handle: list },
  { method: 'POST', path: '/inboxes', bots: 'never', admin: true, handle: create },
  { method: 'GET', path: '/inboxes/:id', bots: 'never', handle: show },
  { method: 'PATCH', path: '/inboxes/:id', bots: 'never', admin: true, handle: update },
  { method: 'DELETE', path: '/inboxes/:id', bots: 'never', admin: true, handle: remove },
  { method: 'POST', path: '/inboxes/:id/reset_secret', bots: 'never', admin: true, handle: resetSecret },
  { method: 'POST', path: '/inboxes/:id/set_agent_bot', bots: 'never', admin: true, handle: setBot },
  { method: 'GET', path: '/inboxes/:id/agent_bot', bots: 'never', handle: (call) => showBot(call) },
  { method: 'POST', path: '/inbox_members', bots: 'never', admin: true, handle: (call) => setMembers(call, 'add') },
  { method: 'PATCH', path: '/inbox_members', bots: 'never', admin: true, handle: (call) => setMembers(call, 'replace') },
  { method: 'DELETE', path: '/inbox_members', bots: 'never', admin: true, handle: (call) => setMembers(call, 'remove') },
  { method: 'GET', path: '/inbox_members/:id', bots: 'never', handle: (call) => membersOf(call, inboxAt(call)) },
];

export function inboxAt({ store, account, match }: Pick<Call, 'store' | 'account' | 'match'>, id: unknown = match[0]): ChatwootInbox {
  const inbox = store.inbox(idOf(id) ?? 0);
  if (inbox === undefined || inbox.accountId !== account.id) throw new Refused(notFound());
  return inbox;
}

const isMember = (call: Call, inbox: ChatwootInbox) => isAdministrator(call) || (call.caller.kind === 'user' && inbox.memberIds.includes(call.caller.user.id));

function list(call: Call): Answer {
  const seen = call.store.inboxes(call.account.id).filter((inbox) => isMember(call, inbox));
  return { status: 200, json: { payload: seen.map((inbox) => inboxOf(call.site, inbox, isAdministrator(call))) } };
}

function show(call: Call): Answer {
  const inbox = inboxAt(call);
  return isMember(call, inbox) ? { status: 200, json: inboxOf(call.site, inbox, isAdministrator(call)) } : notAllowed();
}

/** A blank URL is none; `callback_url` is not read. */
function webhookUrlOf(channel: Record<string, unknown>, before: string | null): string | null {
  if (channel['webhook_url'] === undefined) return before;
  const url = textOf(channel['webhook_url']) || null;
  if ((url?.length ?? 0) > urlLengthMax) throw new Refused(invalidRecord(`Webhook url is too long (maximum is ${urlLengthMax} characters)`, 'webhook_url'));
  return url;
}

function create(call: Call): Answer {
  const { account, store, site } = call;
  const { fields } = call.params;
  if (account.inboxLimit !== null && store.inboxes(account.id).length >= account.inboxLimit) return refusal(402, 'Account limit exceeded. Upgrade to a higher plan');
  const channel = recordOf(fields['channel']);
  const type = channel['type'];
  if (type !== 'api' && type !== 'web_widget') return invalidRecord('Channel must exist', 'channel');
  const name = textOf(fields['name'])?.trim();
  if (!name) return invalidRecord("Name can't be blank", 'name');
  const websiteUrl = textOf(channel['website_url']) || null;
  if (type === 'web_widget' && websiteUrl === null) return invalidRecord("Website url can't be blank", 'website_url');
  const inbox = addInbox(store, account.id, {
    name,
    type,
    webhookUrl: type === 'api' ? webhookUrlOf(channel, null) : null,
    websiteUrl: type === 'web_widget' ? websiteUrl : null,
    lockToSingleConversation: isTrue(fields['lock_to_single_conversation']),
    settings: Object.fromEntries(settingNames.flatMap((key) => (fields[key] === undefined ? [] : [[key, fields[key]]]))),
    additionalAttributes: recordOf(channel['additional_attributes']),
  });
  return { status: 200, json: inboxOf(site, inbox, true) };
}

/** The row with all that the server makes up itself. */
export function addInbox(store: Call['store'], accountId: number, given: Pick<ChatwootInbox, 'name' | 'type' | 'webhookUrl' | 'websiteUrl' | 'lockToSingleConversation' | 'settings' | 'additionalAttributes'>): ChatwootInbox {
  const inbox: ChatwootInbox = {
    id: store.next('inbox'),
    accountId,
    ...given,
    secret: newToken(),
    hmacToken: newToken(),
    identifier: newToken(),
    websiteToken: given.type === 'web_widget' ? newToken() : null,
    memberIds: [],
    botId: null,
  };
  store.putInbox(inbox);
  return inbox;
}

function update(call: Call): Answer {
  const inbox = inboxAt(call);
  const { fields } = call.params;
  const channel = recordOf(fields['channel']);
  if (fields['name'] !== undefined && !textOf(fields['name'])?.trim()) return invalidRecord("Name can't be blank", 'name');
  const changed: ChatwootInbox = {
    ...inbox,
    name: textOf(fields['name'])?.trim() ?? inbox.name,
    webhookUrl: inbox.type === 'api' ? webhookUrlOf(channel, inbox.webhookUrl) : null,
    websiteUrl: inbox.type === 'web_widget' ? (textOf(channel['website_url']) ?? inbox.websiteUrl) : null,
    lockToSingleConversation: fields['lock_to_single_conversation'] === undefined ? inbox.lockToSingleConversation : isTrue(fields['lock_to_single_conversation']),
    settings: { ...inbox.settings, ...Object.fromEntries(settingNames.flatMap((key) => (fields[key] === undefined ? [] : [[key, fields[key]]]))) },
    additionalAttributes: channel['additional_attributes'] === undefined ? inbox.additionalAttributes : recordOf(channel['additional_attributes']),
  };
  call.store.putInbox(changed);
  return { status: 200, json: inboxOf(call.site, changed, true) };
}

function remove(call: Call): Answer {
  call.store.removeInbox(inboxAt(call));
  return { status: 200, json: { message: 'Your inbox deletion request will be processed in some time.' } };
}

function resetSecret(call: Call): Answer {
  const inbox = inboxAt(call);
  if (!can(call.store.server.version, 'signsInboxWebhooks')) return { status: 404, json: { status: 404, error: 'Not Found' } };
  if (inbox.type !== 'api') return notFound();
  const changed = { ...inbox, secret: newToken() };
  call.store.putInbox(changed);
  return { status: 200, json: inboxOf(call.site, changed, true) };
}

function setBot(call: Call): Answer {
  const inbox = inboxAt(call);
  const id = call.params.fields['agent_bot'];
  if (id === null || id === undefined || id === '') {
    call.store.putInbox({ ...inbox, botId: null });
    return { status: 200 };
  }
  const bot = call.store.bot(idOf(id) ?? 0);
  if (bot === undefined || bot.accountId !== call.account.id) return notFound();
  call.store.putInbox({ ...inbox, botId: bot.id });
  return { status: 200 };
}

function showBot(call: Call): Answer {
  const bot = call.store.bot(inboxAt(call).botId);
  return { status: 200, json: { agent_bot: bot ? botOf(call.store, bot, isAdministrator(call)) : {} } };
}

function setMembers(call: Call, how: 'add' | 'replace' | 'remove'): Answer {
  const { params, store, account } = call;
  const inbox = inboxAt(call, params.fields['inbox_id']);
  const given = Array.isArray(params.fields['user_ids']) ? (params.fields['user_ids'] as unknown[]).map((id) => idOf(id) ?? 0) : [];
  if (how !== 'remove' && given.some((id) => store.user(id)?.accountId !== account.id)) return notFound();
  const memberIds = how === 'replace' ? given : how === 'add' ? [...new Set([...inbox.memberIds, ...given])] : inbox.memberIds.filter((id) => !given.includes(id));
  store.putInbox({ ...inbox, memberIds });
  return how === 'remove' ? { status: 200 } : membersOf(call, { ...inbox, memberIds });
}

function membersOf({ store }: Call, inbox: ChatwootInbox): Answer {
  return { status: 200, json: { payload: inbox.memberIds.flatMap((id) => store.user(id) ?? []).map(agentOf) } };
}

