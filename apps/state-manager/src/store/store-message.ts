import type { Author, ConnectionId, ConversationId, DeliveryError, MessageContent, MessageId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import { deliveryRank } from '../domain/delivery-rank.ts';
import type { Decision } from '../domain/decide.ts';
import type { MessageCount } from '../usage/count-of.ts';

export type NewMessage = {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly position: number;
  /** Where it came from; null with `providerMessageId` null for the API. */
  readonly connectionId: ConnectionId | null;
  readonly providerMessageId: string | null;
  readonly direction: 'inbound' | 'outbound';
  readonly author: Author;
  readonly content: MessageContent;
  readonly replyToMessageId: MessageId | null;
  readonly idempotencyKey: string | null;
  readonly sentAt: Date;
};

export type NewDelivery = { readonly connectionId: ConnectionId; readonly error: DeliveryError | null; readonly sentInstead: MessageContent | null };

/** What the message changes of its conversation. */
export type ConversationChange = Pick<Decision, 'standing' | 'status' | 'handler'> & {
  readonly contactAddress: string;
  readonly lastInboundProviderMessageId: string | null;
  /** The other side's own conversation id, just learned. */
  readonly learned: { readonly connectionId: ConnectionId; readonly providerConversationId: string } | null;
};

/**
 * Stores a message, its deliveries, the conversation after it and what it counts in one statement, all or nothing. False: the message is known already (the
 * same provider message id, or the same idempotency key), and nothing was changed. The caller holds the conversation's lock.
 */
export async function storeMessage(sql: SqlSession, message: NewMessage, deliveries: readonly NewDelivery[], change: ConversationChange, count: MessageCount, now: Date): Promise<boolean> {
  const { standing } = change;
  const rows = await sql.query(message.connectionId === null ? givenByApi : receivedFromProvider, [
    currentTenant(), message.messageId, message.conversationId, message.position, message.connectionId, message.providerMessageId, message.direction, message.author,
    message.content.kind, JSON.stringify(message.content), message.replyToMessageId, message.idempotencyKey, message.sentAt, now,
    JSON.stringify(deliveries.map((delivery) => toRow(delivery))),
    change.status, change.handler, change.contactAddress, dateOf(standing.lastInboundAt), change.lastInboundProviderMessageId, dateOf(standing.lastActivityAt),
    dateOf(standing.closedAt), dateOf(standing.handoff?.at ?? null), standing.handoff?.to ?? null,
    change.learned?.connectionId ?? null, change.learned?.providerConversationId ?? null,
    count.month, count.channel, count.slot, count.mediaBytes, count.newlyActive,
  ]);
  return rows.length > 0;
}

/** Names its conflict: any other, such as a position taken twice, is a defect and must fail. */
const receivedFromProvider = statement('(tenant_id, connection_id, provider_message_id)');
const givenByApi = statement('(tenant_id, idempotency_key)');

function statement(conflict: string): string {
  return `
    with message as (
      insert into messages (tenant_id, message_id, conversation_id, position, connection_id, provider_message_id, direction, author, kind, content, reply_to_message_id, idempotency_key, sent_at, created_at)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
      on conflict ${conflict} do nothing
      returning message_id
    ), delivery as (
      insert into deliveries (tenant_id, message_id, connection_id, conversation_id, status, rank, error, sent_instead, at)
      select $1, message.message_id, d.connection_id, $3, d.status, d.rank, d.error, d.sent_instead, $14
      from message, jsonb_to_recordset($15::jsonb) as d(connection_id text, status text, rank smallint, error jsonb, sent_instead jsonb)
    ), conversation as (
      update conversations set message_count = $4, status = $16, handler = $17, contact_address = $18, last_inbound_at = $19, last_inbound_provider_message_id = $20,
        last_activity_at = $21, closed_at = $22, handoff_at = $23, handoff_to = $24, active_month = $27
      where conversation_id = $3 and exists (select from message)
    ), counterpart as (
      update mappings set provider_conversation_id = $26 where conversation_id = $3 and connection_id = $25 and exists (select from message)
    ), counter as (
      insert into usage_counters as c (tenant_id, month, channel, direction, slot, messages, media_bytes)
      select $1, $27, $28, $7, $29, 1, $30 from message
      on conflict (tenant_id, month, channel, direction, slot) do update set messages = c.messages + 1, media_bytes = c.media_bytes + excluded.media_bytes, unreported = true
    ), active as (
      insert into active_contacts (tenant_id, month, contact_id)
      select $1, $27, $31 from message where $31::text is not null
      on conflict do nothing
    )
    select message_id from message`;
}

function toRow({ connectionId, error, sentInstead }: NewDelivery): object {
  const status = error === null ? 'queued' : 'failed';
  return { connection_id: connectionId, status, rank: deliveryRank(status, error), error, sent_instead: sentInstead };
}

export function dateOf(milliseconds: number | null): Date | null {
  return milliseconds === null ? null : new Date(milliseconds);
}
