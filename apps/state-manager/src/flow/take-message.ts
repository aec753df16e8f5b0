import { newId, type Author, type MessageContent, type MessageId, type Role } from '@switchboard/contracts';
import type { Command, Decision } from '../domain/decide.ts';
import type { ConnectionRef } from '../domain/standing.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { findReference, findReferenceById, type Reference } from '../store/find-reference.ts';
import { storeMessage, type NewDelivery } from '../store/store-message.ts';
import { countOf } from '../usage/count-of.ts';
import { announceChange } from './announce-change.ts';
import type { Parts } from './parts.ts';
import { sendCommand, sendReceipt } from './send-command.ts';

/** A message as it comes to a conversation. */
export type Incoming = {
  /** Null: given through the API. */
  readonly origin: { readonly connection: ConnectionRef; readonly role: Role; readonly providerMessageId: string; readonly providerConversationId?: string } | null;
  readonly direction: 'inbound' | 'outbound';
  readonly author: Author;
  readonly content: MessageContent;
  readonly replyTo?: { readonly providerMessageId: string } | { readonly messageId: MessageId };
  readonly idempotencyKey?: string;
  readonly sentAt: Date;
  /** The address that the contact wrote from now. */
  readonly contactAddress?: string;
};

/**
 * Stores a message with what was decided, and sends what follows from it, all in the open transaction. Undefined: the message is known
 * already, and nothing happened.
 */
export async function takeMessage(parts: Parts, conversation: ConversationRecord, decision: Decision, incoming: Incoming, change: { readonly opened: boolean; readonly reason: string }): Promise<MessageId | undefined> {
  const { origin, author, sentAt } = incoming;
  const messageId = newId('msg');
  const command = decision.commands.find(({ kind }) => kind === 'deliver' || kind === 'fail');
  const reply = await findReply(parts, conversation, incoming, command?.to);
  const { timeZone } = await parts.routings.current();
  const now = parts.now();
  const content = command?.kind === 'deliver' ? (command.sentInstead ?? (await translate(parts, incoming, command.to))) : undefined;
  const stored = await storeMessage(
    parts.db.sql,
    {
      messageId,
      conversationId: conversation.conversationId,
      position: conversation.messageCount + 1,
      connectionId: origin?.connection.connectionId ?? null,
      providerMessageId: origin?.providerMessageId ?? null,
      direction: incoming.direction,
      author,
      content: incoming.content,
      replyToMessageId: reply?.messageId ?? null,
      idempotencyKey: incoming.idempotencyKey ?? null,
      sentAt,
    },
    command === undefined || (command.kind === 'deliver' && content === undefined) ? [] : [toDelivery(command)],
    {
      ...decision,
      contactAddress: incoming.contactAddress ?? conversation.contact.address,
      lastInboundProviderMessageId: author === 'contact' && origin !== null ? origin.providerMessageId : conversation.lastInboundProviderMessageId,
      learned: origin?.providerConversationId === undefined ? null : { connectionId: origin.connection.connectionId, providerConversationId: origin.providerConversationId },
    },
    // What is given through the API counts in the month whose limit was looked at.
    countOf(conversation, incoming.content, parts.monthAt(origin === null ? sentAt : now, timeZone).month),
    now,
  );
  if (!stored) return undefined;
  if (command?.kind === 'deliver' && content !== undefined) {
    const replyTo = command.sentInstead === undefined && reply?.providerMessageId ? { replyToProviderMessageId: reply.providerMessageId } : {};
    await sendCommand(parts, conversation, command.to, { messageId, author, content, sentAt: sentAt.toISOString(), ...replyTo });
  }
  if (command?.kind === 'fail' && origin?.role === 'desk') {
    await sendReceipt(parts, conversation, origin.connection, { providerMessageId: origin.providerMessageId, status: 'failed', error: command.error });
  }
  await announceChange(parts, conversation, decision, change);
  return messageId;
}

function toDelivery(command: Command): NewDelivery {
  return {
    connectionId: command.to.connectionId,
    error: command.kind === 'fail' ? command.error : null,
    sentInstead: command.kind === 'deliver' ? (command.sentInstead ?? null) : null,
  };
}

async function findReply({ db }: Parts, { conversationId }: ConversationRecord, { origin, replyTo }: Incoming, target: ConnectionRef | undefined): Promise<Reference | undefined> {
  if (replyTo === undefined) return undefined;
  if ('messageId' in replyTo) return target && findReferenceById(db.sql, conversationId, replyTo.messageId, target.connectionId);
  return origin === null ? undefined : findReference(db.sql, origin.connection.connectionId, replyTo.providerMessageId, target?.connectionId);
}

/**
 * A reaction names its message by the id of the provider it came from; what goes out names it by the id at the other one. A message that
 * is unknown there: the emoji is said as text, and taking it back says nothing (undefined).
 */
async function translate({ db }: Parts, { origin, content }: Incoming, to: ConnectionRef): Promise<MessageContent | undefined> {
  if (content.kind !== 'reaction' || origin === null) return content;
  const reference = await findReference(db.sql, origin.connection.connectionId, content.providerMessageId, to.connectionId);
  if (reference?.providerMessageId) return { ...content, providerMessageId: reference.providerMessageId };
  return content.emoji === '' ? undefined : { kind: 'text', text: content.emoji };
}
