import { newId, type Author, type DeliveryError, type MessageContent, type MessageId } from '@switchboard/contracts';
import { stableAddress } from '../domain/contact-keys.ts';
import type { ConnectionRef } from '../domain/standing.ts';
import type { ConversationRecord } from '../store/conversation-record.ts';
import { ensureCounterpart } from '../store/ensure-counterpart.ts';
import type { Parts } from './parts.ts';

export type Outgoing = {
  readonly messageId: MessageId;
  readonly author: Author;
  readonly content: MessageContent;
  readonly replyToProviderMessageId?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  /** RFC 3339 in UTC. */
  readonly sentAt: string;
};

/** Publishes the order to deliver to one connection: to the channel under the contact's own address, to a desk or bot under the one it has there. */
export async function sendCommand({ db, bus }: Parts, conversation: ConversationRecord, to: ConnectionRef, outgoing: Outgoing): Promise<void> {
  const { conversationId, channel, contact, channelConversationId } = conversation;
  const isChannel = to.connectionId === channel.connectionId;
  const counterpart = isChannel ? undefined : await ensureCounterpart(db.sql, conversation, to.connectionId, stableAddress(channel.provider, contact.address));
  const providerConversationId = counterpart === undefined ? channelConversationId : counterpart.providerConversationId;
  await bus.publish(
    `message.send.${to.provider}`,
    {
      ...outgoing,
      conversationId,
      connectionId: to.connectionId,
      contact: counterpart === undefined ? contact : { ...contact, address: counterpart.contactAddress },
      ...(counterpart === undefined ? {} : { attributes: { channel: channel.provider, conversationId, ...outgoing.attributes } }),
      ...(providerConversationId ? { providerConversationId } : {}),
    },
    { orderingKey: conversationId },
  );
}

/** Passes on what is not stored: typing. */
export async function sendSignal(parts: Parts, conversation: ConversationRecord, to: ConnectionRef, author: Author, content: MessageContent): Promise<void> {
  const isChannel = to.connectionId === conversation.channel.connectionId;
  await sendCommand(parts, conversation, to, {
    messageId: newId('msg'),
    author,
    content,
    sentAt: parts.now().toISOString(),
    // WhatsApp shows typing as an answer to the contact's last message (whatsapp.md section 8).
    ...(isChannel && conversation.lastInboundProviderMessageId !== null ? { replyToProviderMessageId: conversation.lastInboundProviderMessageId } : {}),
  });
}

/** Tells a desk what became of its agent's message. */
export async function sendReceipt(
  parts: Parts,
  conversation: ConversationRecord,
  to: ConnectionRef,
  receipt: { readonly providerMessageId: string; readonly status: 'delivered' | 'read' | 'failed'; readonly error: DeliveryError | null },
): Promise<void> {
  const { providerMessageId, status, error } = receipt;
  await sendCommand(parts, conversation, to, {
    messageId: newId('msg'),
    author: 'system',
    content: { kind: 'receipt', providerMessageId, status, ...(error === null ? {} : { error: { code: error.code, message: error.message } }) },
    sentAt: parts.now().toISOString(),
  });
}
