import { findRoute, type Answer, type Exchange } from '../exchange.ts';
import { readParams, textOf, type Params } from './call.ts';
import type { ChatwootActions } from './chatwoot-actions.ts';
import { notFound } from './refusals.ts';
import { restMessage } from './render-message.ts';
import { conversationSender, secondsOrZero, type Site } from './render-people.ts';
import type { ChatwootContact, ChatwootContactInbox, ChatwootConversation, ChatwootInbox } from './rows.ts';

type Call = { readonly site: Site; readonly actions: ChatwootActions; readonly params: Params; readonly inbox: ChatwootInbox; readonly match: readonly string[]; readonly now: Date };

const routes: { method: string; path: string; handle: (call: Call) => Answer }[] = [
  { method: 'GET', path: '', handle: ({ inbox }) => ({ status: 200, json: { identifier: inbox.identifier, identity_validation_enabled: false, name: inbox.name, timezone: 'UTC' } }) },
  { method: 'POST', path: '/contacts', handle: createContact },
  { method: 'GET', path: '/contacts/:sourceId', handle: (call) => withLink(call, (link, contact) => ({ status: 200, json: contactView(link, contact) })) },
  { method: 'GET', path: '/contacts/:sourceId/conversations', handle: (call) => withLink(call, (link, contact) => ({ status: 200, json: own(call, contact, link).map((conversation) => conversationView(call, conversation)) })) },
  { method: 'POST', path: '/contacts/:sourceId/conversations', handle: (call) => withLink(call, (link) => ({ status: 200, json: conversationView(call, call.actions.lockedConversation(call.inbox, link) ?? call.actions.createConversation({ inbox: call.inbox, link })) })) },
  { method: 'GET', path: '/contacts/:sourceId/conversations/:cid/messages', handle: (call) => inConversation(call, (conversation) => ({ status: 200, json: call.site.store.messages(conversation).filter((message) => !message.private && message.type !== 'activity').map((message) => restMessage(call.site, conversation, message)) })) },
  { method: 'POST', path: '/contacts/:sourceId/conversations/:cid/messages', handle: (call) => inConversation(call, (conversation, contact) => createMessage(call, conversation, contact)) },
  { method: 'POST', path: '/contacts/:sourceId/conversations/:cid/toggle_typing', handle: (call) => inConversation(call, (conversation, contact) => toggleTyping(call, conversation, contact)) },
  { method: 'POST', path: '/contacts/:sourceId/conversations/:cid/update_last_seen', handle: (call) => inConversation(call, (conversation) => updateLastSeen(call, conversation)) },
];

/** The contacts' own API of an API inbox: no token, the inbox' identifier and the contact's source id open it. Undefined: no such path. */
export function answerPublic(site: Site, actions: ChatwootActions, exchange: Exchange, path: string, now: Date): Answer | undefined {
  const [, identifier = '', rest = ''] = /^\/public\/api\/v1\/inboxes\/([^/]+)(\/.*)?$/.exec(path) ?? [];
  const found = identifier === '' ? undefined : findRoute(routes, exchange.method, rest.replace(/\/$/, ''));
  if (found === undefined) return undefined;
  const inbox = site.store.inboxOfIdentifier(decodeURIComponent(identifier));
  const params = readParams(exchange);
  if (inbox?.type !== 'api') return notFound();
  return params === undefined ? { status: 400, json: { status: 400, error: 'Bad Request' } } : found.route.handle({ site, actions, params, inbox, match: found.match, now });
}

function withLink({ site, inbox, match }: Call, handle: (link: ChatwootContactInbox, contact: ChatwootContact) => Answer): Answer {
  const link = site.store.contactInbox(inbox.id, match[0] ?? '');
  const contact = link && site.store.contact(inbox.accountId, link.contactId);
  return link && contact ? handle(link, contact) : notFound();
}

function inConversation(call: Call, handle: (conversation: ChatwootConversation, contact: ChatwootContact) => Answer): Answer {
  return withLink(call, (link, contact) => {
    const conversation = own(call, contact, link).find(({ displayId }) => String(displayId) === call.match[1]);
    return conversation ? handle(conversation, contact) : notFound();
  });
}

function own({ site, inbox }: Call, contact: ChatwootContact, link: ChatwootContactInbox): ChatwootConversation[] {
  return site.store.conversations(inbox.accountId).filter(({ inboxId, contactId, sourceId }) => inboxId === inbox.id && contactId === contact.id && sourceId === link.sourceId);
}

function createContact(call: Call): Answer {
  const { site, actions, params, inbox, now } = call;
  const { store } = site;
  const sourceId = textOf(params.fields['source_id']);
  const known = sourceId === undefined ? undefined : store.contactInbox(inbox.id, sourceId);
  const [identifier, email, phoneNumber] = [textOf(params.fields['identifier']) ?? null, textOf(params.fields['email'])?.toLowerCase() ?? null, textOf(params.fields['phone_number']) ?? null];
  const same = (one: string | null, other: string | null) => one !== null && one === other;
  const found = known ? store.contact(inbox.accountId, known.contactId) : store.contacts(inbox.accountId).find((contact) => same(identifier, contact.identifier) || same(email, contact.email) || same(phoneNumber, contact.phoneNumber));
  const contact = found ?? { id: store.next('contact'), accountId: inbox.accountId, name: textOf(params.fields['name']) ?? '', email, phoneNumber, identifier, blocked: false, customAttributes: {}, additionalAttributes: {}, createdAt: now.toISOString(), lastActivityAt: null };
  if (found === undefined) store.putContact(contact);
  const link = known ?? actions.linkContact(inbox, contact.id, sourceId);
  return link ? { status: 200, json: contactView(link, contact) } : notFound();
}

/** Content, echo id and files only: neither source_id nor content_attributes. */
function createMessage({ site, actions, params }: Call, conversation: ChatwootConversation, contact: ChatwootContact): Answer {
  const attachments = params.files.map((file) => {
    const [fileName, contentType] = [file.fileName ?? 'file', file.contentType ?? 'application/octet-stream'];
    return { id: site.store.next('attachment'), blob: site.store.addBlob({ fileName, contentType, bytes: file.bytes }), fileName, contentType, size: file.bytes.length };
  });
  const message = actions.addMessage(conversation, { type: 'incoming', content: textOf(params.fields['content']) ?? null, echoId: textOf(params.fields['echo_id']) ?? null, senderType: 'Contact', senderId: contact.id, attachments });
  return { status: 200, json: restMessage(site, conversation, message) };
}

function toggleTyping({ site, actions, params, inbox }: Call, conversation: ChatwootConversation, contact: ChatwootContact): Answer {
  const status = params.fields['typing_status'];
  if (status === 'on' || status === 'off') actions.typing(conversation, status === 'on', conversationSender(site, inbox.accountId, 'Contact', contact.id) ?? {}, false);
  return { status: 200 };
}

/** The contact has read what the agents wrote. */
function updateLastSeen({ site, actions, now }: Call, conversation: ChatwootConversation): Answer {
  actions.change(conversation, { contactLastSeenAt: now.toISOString() });
  for (const message of site.store.messages(conversation)) {
    if (message.type === 'outgoing' && !message.private && (message.status === 'sent' || message.status === 'delivered')) actions.updateMessage(conversation, message, { status: 'read' });
  }
  return { status: 200 };
}

function contactView(link: ChatwootContactInbox, contact: ChatwootContact): Record<string, unknown> {
  return { source_id: link.sourceId, pubsub_token: link.pubsubToken, id: contact.id, name: contact.name, email: contact.email, phone_number: contact.phoneNumber };
}

function conversationView({ site, inbox }: Call, conversation: ChatwootConversation): Record<string, unknown> {
  return {
    id: conversation.displayId,
    uuid: conversation.uuid,
    inbox_id: conversation.inboxId,
    contact_last_seen_at: secondsOrZero(conversation.contactLastSeenAt),
    status: conversation.status,
    agent_last_seen_at: secondsOrZero(conversation.agentLastSeenAt),
    messages: site.store.messages(conversation).filter((message) => !message.private).map((message) => restMessage(site, conversation, message)),
    contact: conversationSender(site, inbox.accountId, 'Contact', conversation.contactId),
  };
}
