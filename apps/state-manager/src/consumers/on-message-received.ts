import { hubError, isSignal, type MessageReceived } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { contactKeys } from '../domain/contact-keys.ts';
import { decide, type ConversationEvent, type Decision } from '../domain/decide.ts';
import type { ConnectionRef } from '../domain/standing.ts';
import type { Parts } from '../flow/parts.ts';
import { sendSignal } from '../flow/send-command.ts';
import { takeMessage, type Incoming } from '../flow/take-message.ts';
import { routeOf, usableConnection } from '../routing/route-of.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { ensureCounterpart } from '../store/ensure-counterpart.ts';
import { findConversationOfContact, findConversationOfCounterpart } from '../store/find-conversation.ts';
import { openConversation } from '../store/open-conversation.ts';

/** A message from a contact, an agent or a bot: stored, and passed to whom the route says. */
export function onMessageReceived(parts: Parts): Subscription {
  return onEvent({
    type: 'message.received',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload }) => {
      // Receipts are for desks; a provider's word on our messages comes as message.status.
      if (payload.content.kind === 'receipt') return;
      if (isSignal(payload.content)) await passSignal(parts, payload);
      else if (payload.role === 'channel') await takeFromChannel(parts, payload);
      else await takeFromCounterpart(parts, payload);
    },
  });
}

async function takeFromChannel(parts: Parts, received: MessageReceived): Promise<void> {
  const routing = await parts.routings.current(received.connectionId);
  const channel = connectionOf(received);
  const at = takenAt(parts, received);
  const { conversation, opened } = await openConversation(parts.db.sql, channel, received.contact, at);
  const { standing, status, handler } = conversation;
  // Written by the business itself, in the provider's own app: part of the thread, and nothing follows from it.
  const decision: Decision =
    received.author === 'contact'
      ? decide(standing, routeOf(routing, channel), { kind: 'contact_message', at: at.getTime(), content: received.content })
      : { standing, status, handler, commands: [] };
  const incoming = { ...incomingOf(parts, received), ...(received.author === 'contact' ? { contactAddress: received.contact.address } : {}) };
  const addressed = { ...conversation, contact: { ...conversation.contact, address: incoming.contactAddress ?? conversation.contact.address } };
  await takeMessage(parts, addressed, decision, incoming, { opened, reason: 'the contact wrote' });
}

async function takeFromCounterpart(parts: Parts, received: MessageReceived): Promise<void> {
  // What a provider echoes of our own side is stored already.
  if (received.author === 'contact') return;
  const routing = await parts.routings.current(received.connectionId);
  const known = await findConversationOfCounterpart(parts.db.sql, counterpartOf(received), 'change');
  const { conversation, opened } = known === undefined ? await openForCounterpart(parts, received) : { conversation: known, opened: false };
  const event = counterpartEvent(parts, received);
  const decision = decide(conversation.standing, routeOf(routing, conversation.channel), event);
  await takeMessage(parts, conversation, decision, incomingOf(parts, received), { opened, reason: event.kind === 'agent_message' ? 'an agent wrote' : 'the bot wrote' });
}

/** The desk writes first, to somebody who is in no conversation: the address is the contact's at the one channel that this desk serves. */
async function openForCounterpart(parts: Parts, received: MessageReceived): Promise<{ conversation: ConversationRecord; opened: boolean }> {
  const routing = await parts.routings.current(received.connectionId);
  const served = routing.routes.filter(({ deskConnectionId, botConnectionId }) => deskConnectionId === received.connectionId || botConnectionId === received.connectionId);
  const channel = served.length === 1 ? usableConnection(routing, served[0]?.channelConnectionId) : null;
  if (channel === null) throw hubError('mapping.not_found', { detail: { connectionId: received.connectionId, reason: 'No conversation has this counterpart, and the routes do not say which channel it is for.' } });
  const { conversation, opened } = await openConversation(parts.db.sql, channel, { ...received.contact, aliases: {} }, takenAt(parts, received));
  const counterpart = await ensureCounterpart(parts.db.sql, conversation, received.connectionId, received.contact.address);
  return { conversation: { ...conversation, counterparts: [...conversation.counterparts, counterpart] }, opened };
}

async function passSignal(parts: Parts, received: MessageReceived): Promise<void> {
  const { sql } = parts.db;
  const conversation =
    received.role === 'channel'
      ? await findConversationOfContact(sql, received.provider, received.connectionId, contactKeys(received.provider, received.contact).map(({ key }) => key), 'read')
      : await findConversationOfCounterpart(sql, counterpartOf(received), 'read');
  if (conversation === undefined) return;
  const route = routeOf(await parts.routings.current(received.connectionId), conversation.channel);
  const { content } = received;
  const event: ConversationEvent = received.role === 'channel' ? { kind: 'contact_signal', content } : { kind: 'counterpart_signal', now: parts.now().getTime(), content };
  for (const command of decide(conversation.standing, route, event).commands) {
    if (command.kind === 'signal') await sendSignal(parts, conversation, command.to, received.author, command.content);
  }
}

function counterpartEvent(parts: Parts, received: MessageReceived): Extract<ConversationEvent, { kind: 'agent_message' | 'bot_message' }> {
  // A desk's own flows write too (greetings, menus); only a person takes a conversation over.
  const kind = received.role === 'desk' && received.author !== 'bot' ? 'agent_message' : 'bot_message';
  return { kind, at: takenAt(parts, received).getTime(), now: parts.now().getTime(), from: received.connectionId, content: received.content };
}

function incomingOf(parts: Parts, received: MessageReceived): Incoming {
  const { role, author, content, providerMessageId, providerConversationId, replyToProviderMessageId } = received;
  return {
    origin: { connection: connectionOf(received), role, providerMessageId, ...(providerConversationId === undefined ? {} : { providerConversationId }) },
    direction: author === 'contact' ? 'inbound' : 'outbound',
    author,
    content,
    ...(replyToProviderMessageId === undefined ? {} : { replyTo: { providerMessageId: replyToProviderMessageId } }),
    sentAt: takenAt(parts, received),
  };
}

/** When it was written; a provider's clock that is ahead must not hold a window open or a conversation closed. */
function takenAt({ now }: Parts, { sentAt }: MessageReceived): Date {
  return new Date(Math.min(Date.parse(sentAt), now().getTime()));
}

function connectionOf({ connectionId, provider }: MessageReceived): ConnectionRef {
  return { connectionId, provider };
}

function counterpartOf({ connectionId, contact, providerConversationId }: MessageReceived) {
  return { connectionId, contactAddress: contact.address, providerConversationId };
}
