import { hubError, isSignal, type ContentOf, type MessageReceived } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import { stableAddress } from '../domain/contact-keys.ts';
import { decide, type ConversationEvent, type Decision } from '../domain/decide.ts';
import { hasOwnAgents, type ConnectionRef, type ConversationRoute } from '../domain/standing.ts';
import { findAddressed } from '../flow/find-addressed.ts';
import { handOver } from '../flow/hand-over.ts';
import type { Parts } from '../flow/parts.ts';
import { sendSignal } from '../flow/send-command.ts';
import { takeMessage, type Incoming } from '../flow/take-message.ts';
import { routeOf, usableConnection } from '../routing/route-of.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { ensureCounterpart } from '../store/ensure-counterpart.ts';
import { learnChannelConversation } from '../store/learn-channel-conversation.ts';
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
      else if (payload.content.kind === 'handoff') await takeHandoff(parts, payload, payload.content);
      else if (payload.role === 'channel') await takeFromChannel(parts, payload);
      else await takeFromCounterpart(parts, payload);
    },
  });
}

async function takeFromChannel(parts: Parts, received: MessageReceived): Promise<void> {
  const routing = await parts.routings.current(received.connectionId);
  const at = takenAt(parts, received);
  const { conversation, opened } = await openConversation(parts.db.sql, connectionOf(received), received.contact, at);
  const { standing, status, handler, channel } = conversation;
  // What another connection, which this one has replaced, calls it is of no use here.
  if (received.providerConversationId !== undefined && channel.connectionId === received.connectionId) learnChannelConversation(parts.db.sql, conversation, received.providerConversationId);
  const route = routeOf(routing, channel, received.contact.address);
  const event = channelEvent(parts, received, route);
  // Written by the business itself, in the provider's own app: part of the thread, and nothing follows from it.
  const decision: Decision = event === undefined ? { standing, status, handler, commands: [] } : decide(standing, route, event);
  const incoming = { ...incomingOf(parts, received), ...(received.author === 'contact' ? { contactAddress: received.contact.address } : {}) };
  const addressed = { ...conversation, contact: { ...conversation.contact, address: incoming.contactAddress ?? conversation.contact.address } };
  await takeMessage(parts, addressed, decision, incoming, { opened, reason: event?.kind === 'agent_message' ? 'an agent wrote' : 'the contact wrote' });
}

/** What a message at the channel means to the conversation; undefined: nothing. */
function channelEvent(parts: Parts, received: MessageReceived, route: ConversationRoute): ConversationEvent | undefined {
  const { author, content } = received;
  const at = takenAt(parts, received).getTime();
  if (author === 'contact') return { kind: 'contact_message', at, content };
  if (author === 'agent' && hasOwnAgents(route)) return { kind: 'agent_message', at, now: parts.now().getTime(), from: route.channel.connectionId, content };
  return undefined;
}

async function takeFromCounterpart(parts: Parts, received: MessageReceived): Promise<void> {
  // What a provider echoes of our own side is stored already.
  if (received.author === 'contact') return;
  const addressed = await findAddressed(parts, received, 'change');
  if (addressed.kind === 'foreign') return;
  const routing = await parts.routings.current(received.connectionId);
  const { conversation, opened } = addressed.kind === 'unknown' ? await openForCounterpart(parts, received) : { conversation: addressed.conversation, opened: false };
  // Found by our own id: what the other side calls it is learned with the message, where there is a counterpart.
  if (received.conversationId !== undefined) await ensureCounterpart(parts.db.sql, conversation, received.connectionId, stableAddress(conversation.channel.provider, conversation.contact.address));
  const event = counterpartEvent(parts, received);
  const decision = decide(conversation.standing, routeOf(routing, conversation.channel, conversation.contact.address), event);
  await takeMessage(parts, conversation, decision, incomingOf(parts, received), { opened, reason: event.kind === 'agent_message' ? 'an agent wrote' : 'the bot wrote' });
}

/** The channel itself has something for people (a voicemail); it may be the first that is heard of the contact. Without a desk in the route whoever answers there goes on. */
async function takeHandoffOfChannel(parts: Parts, received: MessageReceived, { to, reason, summary }: ContentOf<'handoff'>): Promise<void> {
  const { connectionId, contact } = received;
  const routing = await parts.routings.current(connectionId);
  const at = takenAt(parts, received);
  const { conversation, opened } = await openConversation(parts.db.sql, connectionOf(received), contact, at);
  const route = routeOf(routing, conversation.channel, conversation.contact.address);
  if (to !== 'desk' || route.desk === null) parts.log.info({ connectionId, to }, 'a handoff by a channel whose route has no desk changes nothing');
  await handOver(parts, conversation, route, { at, by: 'channel', to, reason, ...(summary === undefined ? {} : { summary }) }, { opened });
}

/** A bot, a desk or the channel's own agents want the conversation to change hands. Of a connection that the route does not name (any more) it is ignored. */
async function takeHandoff(parts: Parts, received: MessageReceived, content: ContentOf<'handoff'>): Promise<void> {
  const { connectionId, role, author } = received;
  const { to, reason, summary, assignment } = content;
  // Neither a contact nor somebody at the channel: its connector.
  if (role === 'channel' && author === 'system') return takeHandoffOfChannel(parts, received, content);
  const addressed = await findAddressed(parts, received, 'change');
  if (addressed.kind !== 'found') return addressed.kind === 'foreign' ? undefined : parts.log.warn({ connectionId }, 'a handoff of an unknown conversation was ignored');
  const { conversation } = addressed;
  const route = routeOf(await parts.routings.current(connectionId), conversation.channel, conversation.contact.address);
  const by = connectionId === route.desk?.connectionId ? 'desk' : connectionId === route.bot?.connectionId ? 'bot' : undefined;
  if (by === undefined) return parts.log.warn({ connectionId, conversationId: conversation.conversationId }, 'a handoff by whom the route does not name was ignored');
  await handOver(parts, conversation, route, { at: takenAt(parts, received), by, to, reason, ...(summary === undefined ? {} : { summary }), ...(assignment === undefined ? {} : { assignment }) });
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
  const { content, role, author } = received;
  // The channel's own agents: the contact sees them type.
  if (role === 'channel' && author !== 'contact') return;
  const addressed = await findAddressed(parts, received, 'read');
  if (addressed.kind !== 'found') return;
  const { conversation } = addressed;
  const route = routeOf(await parts.routings.current(received.connectionId), conversation.channel, conversation.contact.address);
  const event: ConversationEvent = role === 'channel' ? { kind: 'contact_signal', content } : { kind: 'counterpart_signal', now: parts.now().getTime(), by: role, content };
  for (const command of decide(conversation.standing, route, event).commands) {
    if (command.kind === 'signal') await sendSignal(parts, conversation, command.to, received.author, command.content);
  }
}

function counterpartEvent(parts: Parts, received: MessageReceived): Extract<ConversationEvent, { kind: 'agent_message' | 'bot_message' | 'flow_message' }> {
  const { role, author, connectionId: from, content } = received;
  const times = { at: takenAt(parts, received).getTime(), now: parts.now().getTime() };
  if (role === 'bot') return { kind: 'bot_message', ...times, content };
  // A desk's own flows write too (greetings, menus); only a person takes a conversation over.
  return author === 'bot' ? { kind: 'flow_message', ...times, content } : { kind: 'agent_message', ...times, from, content };
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
