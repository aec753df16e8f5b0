import type { Answer } from '../exchange.ts';
import { conversationOf, idOf, isTrue, recordOf, textOf, type Call, type CallRoute } from './call.ts';
import { addMessage } from './message-routes.ts';
import { brokenServer, invalidRecord, notFound, refusal, throttled } from './refusals.ts';
import { agentOf, botOf, conversationSender } from './render-people.ts';
import { restConversation } from './render-conversation.ts';
import type { ChatwootConversation, ChatwootStatus } from './rows.ts';

/** `CONVERSATION_RESULTS_PER_PAGE`. */
const pageSize = 25;
const statuses: ReadonlySet<string> = new Set<ChatwootStatus>(['open', 'resolved', 'pending', 'snoozed']);
const priorities = new Set(['low', 'medium', 'high', 'urgent']);
const isStatus = (value: string): value is ChatwootStatus => statuses.has(value);

export const conversationRoutes: CallRoute[] = [
  { method: 'GET', path: '/conversations', bots: 'never', handle: list },
  { method: 'GET', path: '/conversations/meta', bots: 'never', handle: meta },
  { method: 'POST', path: '/conversations', bots: 'always', handle: create },
  { method: 'GET', path: '/conversations/:cid', bots: 'since4142', handle: (call) => ({ status: 200, json: restConversation(call.site, conversationOf(call), call.now) }) },
  { method: 'PATCH', path: '/conversations/:cid', bots: 'always', handle: (call) => setPriority(call, textOf(call.params.fields['priority'])) },
  { method: 'POST', path: '/conversations/:cid/toggle_priority', bots: 'always', handle: (call) => setPriority(call, textOf(call.params.fields['priority'])) },
  { method: 'POST', path: '/conversations/:cid/toggle_status', bots: 'always', handle: toggleStatus },
  { method: 'POST', path: '/conversations/:cid/toggle_typing_status', bots: 'always', handle: toggleTyping },
  { method: 'POST', path: '/conversations/:cid/custom_attributes', bots: 'always', handle: setCustomAttributes },
  { method: 'POST', path: '/conversations/:cid/assignments', bots: 'always', handle: assign },
  { method: 'GET', path: '/conversations/:cid/labels', bots: 'since4142', handle: (call) => ({ status: 200, json: { payload: conversationOf(call).labels } }) },
  { method: 'POST', path: '/conversations/:cid/labels', bots: 'since4142', handle: setLabels },
  { method: 'POST', path: '/conversations/:cid/update_last_seen', bots: 'never', handle: updateLastSeen },
];

/** The triple, or what the real server makes of a part of it. */
function create(call: Call): Answer {
  const { store, account, params, actions, site, now } = call;
  const { fields } = params;
  const status = textOf(fields['status']);
  if (status !== undefined && !isStatus(status)) return brokenServer();
  const [inboxId, contactId, sourceId] = [idOf(fields['inbox_id']), idOf(fields['contact_id']), textOf(fields['source_id'])];
  let inbox = inboxId === undefined ? undefined : store.inbox(inboxId);
  let link;
  if (inboxId !== undefined && contactId !== undefined) {
    const contact = store.contact(account.id, contactId);
    if (inbox === undefined || inbox.accountId !== account.id || contact === undefined) return notFound();
    link = actions.linkContact(inbox, contact.id, sourceId);
    if (link === undefined) return refusal(422, 'source_id should be unique');
  } else {
    // Up to 4.15.1 the source id is looked up in all accounts of the server (chatwoot issue 15454): a hub that leaves a part out meets strangers.
    const found = sourceId === undefined ? undefined : store.contactInboxNamed(sourceId);
    inbox = found && store.inbox(found.inboxId);
    link = found;
  }
  if (inbox === undefined || link === undefined) return notFound();
  const conversation =
    actions.lockedConversation(inbox, link) ??
    actions.createConversation({
      inbox,
      link,
      status,
      assigneeId: store.user(idOf(fields['assignee_id']) ?? null)?.id ?? null,
      customAttributes: recordOf(fields['custom_attributes']),
      additionalAttributes: recordOf(fields['additional_attributes']),
    });
  const message = recordOf(fields['message']);
  if (Object.keys(message).length > 0) addMessage(call, conversation, message);
  return { status: 200, json: restConversation(site, store.conversation(conversation.accountId, conversation.displayId) ?? conversation, now) };
}

/** Those the filters leave, without paging and without the assignee. */
function filtered({ store, account, caller, query, now }: Call): ChatwootConversation[] {
  const status = query.get('status') ?? 'open';
  const [inboxId, sourceId, within] = [idOf(query.get('inbox_id')), query.get('source_id'), idOf(query.get('updated_within'))];
  const labels = query.getAll('labels[]');
  const member = caller.kind === 'user' && caller.user.role === 'agent' ? caller.user.id : undefined;
  return store.conversations(account.id).filter(
    (conversation) =>
      (status === 'all' || conversation.status === status) &&
      (inboxId === undefined || conversation.inboxId === inboxId) &&
      (sourceId === null || conversation.sourceId === sourceId) &&
      (within === undefined || Date.parse(conversation.updatedAt) > now.getTime() - within * 1000) &&
      (labels.length === 0 || labels.some((label) => conversation.labels.includes(label))) &&
      // Agents see the inboxes they are members of.
      (member === undefined || store.inbox(conversation.inboxId)?.memberIds.includes(member) === true),
  );
}

function counts(call: Call, conversations: readonly ChatwootConversation[]): Record<string, number> {
  const mine = call.caller.kind === 'user' ? call.caller.user.id : 0;
  const unassigned = conversations.filter(({ assigneeId }) => assigneeId === null).length;
  return { mine_count: conversations.filter(({ assigneeId }) => assigneeId === mine).length, assigned_count: conversations.length - unassigned, unassigned_count: unassigned, all_count: conversations.length };
}

const orders: Readonly<Record<string, (one: ChatwootConversation, other: ChatwootConversation) => number>> = {
  created_at_asc: (one, other) => one.id - other.id,
  created_at_desc: (one, other) => other.id - one.id,
  last_activity_at_asc: (one, other) => one.lastActivityAt.localeCompare(other.lastActivityAt) || one.id - other.id,
  last_activity_at_desc: (one, other) => other.lastActivityAt.localeCompare(one.lastActivityAt) || other.id - one.id,
};

function list(call: Call): Answer {
  const { query, caller, site, now } = call;
  const status = query.get('status');
  if (status !== null && status !== 'all' && !isStatus(status)) return brokenServer();
  const all = filtered(call);
  const mine = caller.kind === 'user' ? caller.user.id : 0;
  const wanted = query.get('assignee_type') ?? 'all';
  const kept = all.filter(({ assigneeId }) => (wanted === 'me' ? assigneeId === mine : wanted === 'unassigned' ? assigneeId === null : wanted === 'assigned' ? assigneeId !== null : true));
  const order = orders[query.get('sort_by') ?? 'last_activity_at_desc'];
  if (order === undefined) return brokenServer();
  kept.sort(order);
  const page = Math.max(idOf(query.get('page')) ?? 1, 1);
  // With updated_within all matches come at once (conversation_finder.rb).
  const shown = query.get('updated_within') === null ? kept.slice((page - 1) * pageSize, page * pageSize) : kept;
  return { status: 200, json: { data: { meta: counts(call, all), payload: shown.map((conversation) => restConversation(site, conversation, now)) } } };
}

function meta(call: Call): Answer {
  if (!call.store.within('conversations-meta', call.account.id, 30, call.now)) return throttled();
  return { status: 200, json: { meta: counts(call, filtered(call)) } };
}

function toggleStatus(call: Call): Answer {
  const { caller, params, actions } = call;
  const conversation = conversationOf(call);
  const wanted = textOf(params.fields['status']) ?? (conversation.status === 'open' ? 'resolved' : 'open');
  if (!isStatus(wanted)) return brokenServer();
  const until = idOf(params.fields['snoozed_until']);
  const snoozedUntil = wanted === 'snoozed' && until !== undefined ? new Date(until * 1000).toISOString() : null;
  const isHandoff = caller.kind === 'bot' && conversation.status === 'pending' && wanted === 'open';
  const name = caller.kind === 'bot' ? caller.bot.name : caller.user.name;
  const changed = actions.change(conversation, {
    status: wanted,
    snoozedUntil,
    ...(isHandoff ? { waitingSince: call.now.toISOString() } : {}),
    // An agent who opens a conversation gets it; administrators and bots do not.
    ...(wanted === 'open' && caller.kind === 'user' && caller.user.role === 'agent' ? { assigneeId: caller.user.id, assigneeBotId: null } : {}),
  }, wanted === 'open' ? `Conversation was reopened by ${name}` : wanted === 'resolved' ? `Conversation was marked resolved by ${name}` : `Conversation was marked ${wanted} by ${name}`);
  return { status: 200, json: { meta: {}, payload: { success: isHandoff ? null : true, conversation_id: changed.displayId, current_status: changed.status, snoozed_until: changed.snoozedUntil } } };
}

function setPriority(call: Call, priority: string | undefined): Answer {
  const conversation = conversationOf(call);
  if (priority !== undefined && !priorities.has(priority)) return brokenServer();
  const changed = call.actions.change(conversation, { priority: priority ?? null });
  return { status: 200, json: restConversation(call.site, changed, call.now) };
}

function toggleTyping(call: Call): Answer {
  const { caller, params, site, account, actions } = call;
  const conversation = conversationOf(call);
  const isOn = params.fields['typing_status'] === 'on';
  if (!isOn && params.fields['typing_status'] !== 'off') return { status: 200 };
  const user = conversationSender(site, account.id, caller.kind === 'bot' ? 'AgentBot' : 'User', caller.kind === 'bot' ? caller.bot.id : caller.user.id) ?? {};
  actions.typing(conversation, isOn, user, isTrue(params.fields['is_private']));
  return { status: 200 };
}

/** Replaces all of them. */
function setCustomAttributes(call: Call): Answer {
  const changed = call.actions.change(conversationOf(call), { customAttributes: recordOf(call.params.fields['custom_attributes']) });
  return { status: 200, json: { custom_attributes: changed.customAttributes } };
}

function assign(call: Call): Answer {
  const { store, account, params, actions } = call;
  const conversation = conversationOf(call);
  const id = idOf(params.fields['assignee_id']) ?? 0;
  if (!Object.hasOwn(params.fields, 'assignee_id')) {
    // Teams are not kept here: any number is one.
    const teamId = idOf(params.fields['team_id']) || null;
    actions.change(conversation, { teamId });
    return { status: 200, json: teamId === null ? null : { id: teamId, name: `team ${teamId}`, description: null, allow_auto_assign: true, account_id: account.id, is_member: false } };
  }
  if (params.fields['assignee_type'] === 'AgentBot') {
    const bot = store.bot(id);
    if (bot === undefined || bot.accountId !== account.id) return notFound();
    actions.change(conversation, { assigneeId: null, assigneeBotId: bot.id });
    return { status: 200, json: botOf(store, bot, false) };
  }
  const found = store.user(id);
  const user = found?.accountId === account.id ? found : undefined;
  actions.change(conversation, { assigneeId: user?.id ?? null, assigneeBotId: null }, user ? `Assigned to ${user.name}` : 'Conversation unassigned');
  return { status: 200, json: user ? agentOf(user) : null };
}

/** Replaces the set. */
function setLabels(call: Call): Answer {
  const labels = call.params.fields['labels'];
  if (!Array.isArray(labels) || labels.some((label) => typeof label !== 'string')) return invalidRecord('Labels is invalid', 'labels');
  const changed = call.actions.change(conversationOf(call), { labels: [...new Set((labels as string[]).map((label) => label.trim()))].filter((label) => label !== '') });
  return { status: 200, json: { payload: changed.labels } };
}

function updateLastSeen(call: Call): Answer {
  const changed = call.actions.change(conversationOf(call), { agentLastSeenAt: call.now.toISOString() });
  return { status: 200, json: restConversation(call.site, changed, call.now) };
}
