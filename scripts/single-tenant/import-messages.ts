import { deliveryRank } from '../../apps/state-manager/src/domain/delivery-rank.ts';
import type { ConnectionId, ConversationId, MessageId } from '../../packages/contracts/src/index.ts';
import type { Database } from '../../packages/db/src/index.ts';
import { currentTenant } from '../../packages/tenant-context/src/index.ts';
import { deriveId } from './derive-id.ts';
import { findConversations, planByKeys } from './find-conversations.ts';
import { contactKeyOf } from './import-mappings.ts';
import type { Places } from './plan-accounts.ts';
import type { Report } from './report.ts';
import { toMessage, type OldMessage, type ReadMessage } from './to-message.ts';

type Placed = ReadMessage & { readonly row: string; readonly messageId: MessageId; readonly contactKey: string; readonly channel: ConnectionId; readonly origin: ConnectionId; readonly target: ConnectionId };
type InConversation = Placed & { readonly conversationId: ConversationId; readonly position: number };

/**
 * Imports one portion of the current tenant's messages, oldest first, in one transaction: messages, their deliveries, and what their conversations
 * count. Nothing here is counted as usage or sent.
 */
export async function importMessages(state: Database<unknown>, rows: readonly OldMessage[], places: Places & { readonly desk: ConnectionId }, dryRun: boolean, report: Report): Promise<void> {
  const placed = rows.flatMap((row): Placed[] => {
    const read = place(row, places);
    if (!('fault' in read)) return [read];
    report.skip('messages', { table: 'message_tracking', row: row.key, reason: read.fault });
    return [];
  });
  await state.transaction(async () => {
    planByKeys(state.sql);
    const conversations = dryRun ? undefined : await lockConversations(state, placed, places.desk);
    const known = await findKnown(state, placed);
    const missing = placed.filter((message) => !known(message));
    report.count('messages', 'alreadyThere', placed.length - missing.length);
    if (conversations === undefined) return report.count('messages', 'imported', missing.length);
    const found = missing.flatMap((message): InConversation[] => {
      const held = conversations.get(message);
      // Positions go on from what the conversation counts.
      if (held !== undefined) return [{ ...message, conversationId: held.conversationId, position: ++held.messageCount }];
      report.skip('messages', { table: 'message_tracking', row: message.row, reason: 'its conversation was not imported' });
      return [];
    });
    if (found.length > 0) await insert(state, found);
    report.count('messages', 'imported', found.length);
  });
}

function place(row: OldMessage, places: Places & { readonly desk: ConnectionId }): Placed | { readonly fault: string } {
  const read = toMessage(row);
  if ('fault' in read) return read;
  if (row.repetition > 1) return { fault: 'another row is the same message at its provider' };
  const alias = contactKeyOf(row.waId);
  const channel = places.channelOf(row.phoneNumberId?.trim() || null);
  if (alias === undefined || channel === undefined) return { fault: 'its conversation is not imported' };
  const { desk } = places;
  const messageId = deriveId('msg', read.sentAt, currentTenant(), row.key);
  return { ...read, row: row.key, messageId, contactKey: alias.key, channel, origin: read.inbound ? channel : desk, target: read.inbound ? desk : channel };
}

type Held = { readonly conversationId: ConversationId; messageCount: number };

/** Conversations of the messages, locked in one order: state-manager takes its turn after us. */
async function lockConversations({ sql }: Database<unknown>, placed: readonly Placed[], desk: ConnectionId): Promise<ReadonlyMap<Placed, Held>> {
  const found = await findConversations(sql, placed, desk);
  const ids = [...new Set(found.flatMap(({ conversationId }) => conversationId ?? []))];
  const rows = await sql.query<{ conversation_id: ConversationId; message_count: number }>('select conversation_id, message_count from conversations where conversation_id = any($1) order by conversation_id for update', [ids]);
  const held = new Map(rows.map((row): [ConversationId, Held] => [row.conversation_id, { conversationId: row.conversation_id, messageCount: row.message_count }]));
  const conversations = new Map<Placed, Held>();
  for (const [index, message] of placed.entries()) {
    const id = found[index]?.conversationId ?? undefined;
    const conversation = id === undefined ? undefined : held.get(id);
    if (conversation !== undefined) conversations.set(message, conversation);
  }
  return conversations;
}

/** Whether a message is there: from an earlier run, or because its provider has told the hub of it as well. */
async function findKnown({ sql }: Database<unknown>, placed: readonly Placed[]): Promise<(message: Placed) => boolean> {
  const ids = await sql.query<{ message_id: string }>('select message_id from messages where message_id = any($1)', [placed.map(({ messageId }) => messageId)]);
  const named = placed.flatMap(({ originMessageId }) => originMessageId ?? []);
  const received = await sql.query<{ connection_id: string; provider_message_id: string }>(
    'select connection_id, provider_message_id from messages where connection_id = any($1) and provider_message_id = any($2)',
    [[...new Set(placed.map(({ origin }) => origin))], named],
  );
  const known = new Set([...ids.map((row) => row.message_id), ...received.map((row) => `${row.connection_id} ${row.provider_message_id}`)]);
  return ({ messageId, origin, originMessageId }) => known.has(messageId) || (originMessageId !== null && known.has(`${origin} ${originMessageId}`));
}

async function insert({ sql }: Database<unknown>, messages: readonly InConversation[]): Promise<void> {
  const tenantId = currentTenant();
  const rows = messages.map(({ messageId, conversationId, position, origin, originMessageId, inbound, content, sentAt, target, delivery }) => ({
    position, message_id: messageId, conversation_id: conversationId, connection_id: origin, provider_message_id: originMessageId, direction: inbound ? 'inbound' : 'outbound',
    author: inbound ? 'contact' : 'agent', kind: content.kind, content, sent_at: sentAt, target,
    ...(delivery && { status: delivery.status, rank: deliveryRank(delivery.status, delivery.error), error: delivery.error, at: delivery.at, target_message_id: delivery.providerMessageId }),
  }));
  const values = [tenantId, JSON.stringify(rows)];
  const from = `from jsonb_to_recordset($2::jsonb) as r(position int, message_id text, conversation_id text, connection_id text, provider_message_id text, direction text, author text, kind text, content jsonb,
    sent_at timestamptz, target text, status text, rank smallint, error jsonb, at timestamptz, target_message_id text)`;
  sql.enqueue(
    `insert into messages (tenant_id, message_id, conversation_id, position, connection_id, provider_message_id, direction, author, kind, content, sent_at, created_at)
     select $1, r.message_id, r.conversation_id, r.position, r.connection_id, r.provider_message_id, r.direction, r.author, r.kind, r.content, r.sent_at, r.sent_at ${from}`,
    values,
  );
  sql.enqueue(
    `insert into deliveries (tenant_id, message_id, connection_id, conversation_id, status, rank, error, at) select $1, r.message_id, r.target, r.conversation_id, r.status, r.rank, nullif(r.error, 'null'), r.at ${from} where r.status is not null on conflict do nothing`,
    values,
  );
  sql.enqueue(
    `insert into provider_messages (tenant_id, connection_id, provider_message_id, message_id, at) select $1, r.target, r.target_message_id, r.message_id, r.at ${from} where r.target_message_id is not null on conflict do nothing`,
    values,
  );
  // Each of them is there and locked, so nothing is inserted: the conflict finds it by its key, where a join may read all conversations of the tenant.
  await sql.query(
    `insert into conversations as c (tenant_id, conversation_id, contact_id, channel_connection_id, channel_provider, contact_address, status, handler, message_count, last_inbound_at, last_inbound_provider_message_id, last_activity_at)
     select $1, r.conversation_id, '', '', '', '', '', '', max(r.position), max(r.sent_at) filter (where r.direction = 'inbound'), (array_agg(r.provider_message_id order by r.position desc) filter (where r.direction = 'inbound'))[1], max(r.sent_at)
     ${from} group by r.conversation_id
     on conflict (tenant_id, conversation_id) do update set
       message_count = excluded.message_count,
       last_inbound_provider_message_id = case when excluded.last_inbound_at >= coalesce(c.last_inbound_at, '-infinity') then coalesce(excluded.last_inbound_provider_message_id, c.last_inbound_provider_message_id) else c.last_inbound_provider_message_id end,
       last_inbound_at = greatest(c.last_inbound_at, excluded.last_inbound_at),
       last_activity_at = greatest(c.last_activity_at, excluded.last_activity_at),
       closed_at = case when c.status = 'closed' then greatest(c.closed_at, excluded.last_activity_at) else c.closed_at end`,
    values,
  );
}
