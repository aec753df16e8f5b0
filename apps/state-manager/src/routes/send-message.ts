import { hubError, planLimits, sendableKinds, sendMessage, type ConversationId, type MessageContent, type MessageId, type MessageView } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import { isDeepStrictEqual } from 'node:util';
import { decide } from '../domain/decide.ts';
import type { ConnectionRef } from '../domain/standing.ts';
import type { Parts } from '../flow/parts.ts';
import { takeMessage } from '../flow/take-message.ts';
import { routeOf, usableConnection } from '../routing/route-of.ts';
import { findConversation } from '../store/find-conversation.ts';
import { findReferenceById } from '../store/find-reference.ts';
import { readMessage, readMessageByIdempotencyKey } from '../store/read-messages.ts';
import { assertWithinLimit } from '../usage/assert-within-limit.ts';
import { createTurns } from '../usage/create-turns.ts';

/** What the tenant's own systems say to a contact. */
export function sendMessageRoute(parts: Parts): Route {
  const inTurn = createTurns();
  return defineRoute(sendMessage, async ({ params: { conversationId }, body, idempotencyKey }) => {
    const content: MessageContent | undefined = body.text === undefined ? body.content : { kind: 'text', text: body.text };
    if (content === undefined || !isSendable(content)) throw hubError('message.kind_not_sendable', { publicMessage: `Use one of ${sendableKinds.join(', ')}.` });
    const store = () => parts.db.transaction(() => send(parts, conversationId, content, { replyToMessageId: body.replyToMessageId, idempotencyKey }));
    // They would wait for one another at the limit, each with a connection in its hand that others need.
    return planLimits[(await parts.routings.current()).plan].messagesPerMonth === null ? store() : inTurn(currentTenant(), store);
  });
}

type Options = { readonly replyToMessageId: MessageId | undefined; readonly idempotencyKey: string | undefined };

async function send(parts: Parts, conversationId: ConversationId, content: MessageContent, { replyToMessageId, idempotencyKey }: Options): Promise<MessageView> {
  const { db, routings, now } = parts;
  const conversation = await findConversation(db.sql, conversationId, 'change');
  if (conversation === undefined) throw hubError('conversation.not_found');
  const repeated = await findRepeated(parts, conversationId, content, idempotencyKey);
  if (repeated !== undefined) return repeated;
  const { channel } = conversation;
  const routing = await routings.current(channel.connectionId);
  if (usableConnection(routing, channel.connectionId) === null) throw hubError('connection.not_active');
  const at = now();
  const translated = await translateReaction(parts, conversationId, content, channel);
  const decision = decide(conversation.standing, routeOf(routing, channel, conversation.contact.address), { kind: 'system_message', at: at.getTime(), now: at.getTime(), content: translated });
  // A caller hears at once what an agent would hear by a receipt, and nothing is stored.
  if (decision.commands.some(({ kind }) => kind === 'fail')) throw hubError('message.window_closed');
  if (replyToMessageId !== undefined && (await findReferenceById(db.sql, conversationId, replyToMessageId, channel.connectionId)) === undefined) throw unknownMessage('body.replyToMessageId');
  await assertWithinLimit(parts, routing, at);
  const messageId = await takeMessage(
    parts,
    conversation,
    decision,
    {
      origin: null,
      direction: 'outbound',
      author: 'system',
      content: translated,
      ...(replyToMessageId === undefined ? {} : { replyTo: { messageId: replyToMessageId } }),
      ...(idempotencyKey === undefined ? {} : { idempotencyKey }),
      sentAt: at,
    },
    { opened: false, reason: 'a message was sent through the API' },
  );
  // Not stored: the same key was used at the same moment.
  const stored = messageId === undefined ? await findRepeated(parts, conversationId, content, idempotencyKey) : await readMessage(db.sql, messageId);
  if (stored === undefined) throw hubError('internal', { detail: { reason: 'A message was stored and is not there.' } });
  return stored;
}

async function findRepeated({ db }: Parts, conversationId: ConversationId, content: MessageContent, idempotencyKey: string | undefined): Promise<MessageView | undefined> {
  if (idempotencyKey === undefined) return undefined;
  const known = await readMessageByIdempotencyKey(db.sql, idempotencyKey);
  if (known === undefined) return undefined;
  const isSame = known.conversationId === conversationId && (content.kind === 'reaction' ? known.content.kind === 'reaction' : isDeepStrictEqual(known.content, asStored(content)));
  if (!isSame) throw hubError('request.idempotency_conflict');
  return known;
}

/** What is undefined does not come back from JSON. */
function asStored(content: MessageContent): unknown {
  return JSON.parse(JSON.stringify(content));
}

/** A caller may name the message reacted to by our id. */
async function translateReaction({ db }: Parts, conversationId: ConversationId, content: MessageContent, channel: ConnectionRef): Promise<MessageContent> {
  if (content.kind !== 'reaction' || !content.providerMessageId.startsWith('msg_')) return content;
  const reference = await findReferenceById(db.sql, conversationId, content.providerMessageId as MessageId, channel.connectionId); // the prefix says so; any other text finds nothing
  if (!reference?.providerMessageId) throw unknownMessage('body.content.providerMessageId');
  return { ...content, providerMessageId: reference.providerMessageId };
}

function unknownMessage(path: string) {
  return hubError('request.invalid', { issues: [{ path, message: 'is no message of this conversation' }] });
}

function isSendable({ kind }: MessageContent): boolean {
  return (sendableKinds as readonly string[]).includes(kind);
}
