import { deliveryRank } from '../../apps/state-manager/src/domain/delivery-rank.ts';
import type { ConnectionId, ContactId, ConversationId, MessageId } from '../../packages/contracts/src/index.ts';
import type { Database } from '../../packages/db/src/index.ts';
import { currentTenant } from '../../packages/tenant-context/src/index.ts';
import { deriveId } from './derive-id.ts';
import { contactKeyOf } from './import-mappings.ts';
import type { Places } from './plan-accounts.ts';
import type { Report } from './report.ts';
import { toMessage, type OldMessage, type ReadMessage } from './to-message.ts';

type Placed = ReadMessage & { readonly row: string; readonly messageId: MessageId; readonly contactKey: string; readonly channel: ConnectionId; readonly origin: ConnectionId; readonly target: ConnectionId };
type InConversation = Placed & { readonly conversationId: ConversationId };

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
    const conversationOf = await findConversations(state, placed, dryRun);
    const known = await findKnown(state, placed);
    const missing = placed.filter((message) => !known(message));
    report.count('messages', 'alreadyThere', placed.length - missing.length);
    if (dryRun) return report.count('messages', 'imported', missing.length);
    const found = missing.flatMap((message): InConversation[] => {
      const conversationId = conversationOf(message);
      if (conversationId !== undefined) return [{ ...message, conversationId }];
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

/** Conversations by contact and channel; locked, in one order, unless nothing is written: state-manager takes its turn after us. */
async function findConversations({ sql }: Database<unknown>, placed: readonly Placed[], dryRun: boolean): Promise<(message: Placed) => ConversationId | undefined> {
  const contacts = await sql.query<{ match_key: string; contact_id: ContactId }>(`select match_key, contact_id from contact_aliases where provider = 'whatsapp' and match_key = any($1)`, [[...new Set(placed.map(({ contactKey }) => contactKey))]]);
  const contactOf = new Map(contacts.map((row) => [row.match_key, row.contact_id]));
  const conversations = await sql.query<{ contact_id: ContactId; channel_connection_id: string; conversation_id: ConversationId }>(
    `select contact_id, channel_connection_id, conversation_id from conversations where contact_id = any($1) and channel_connection_id = any($2) order by conversation_id ${dryRun ? '' : 'for update'}`,
    [[...contactOf.values()], [...new Set(placed.map(({ channel }) => channel))]],
  );
  const conversationOf = new Map(conversations.map((row) => [`${row.contact_id} ${row.channel_connection_id}`, row.conversation_id]));
  return ({ contactKey, channel }) => conversationOf.get(`${contactOf.get(contactKey) ?? ''} ${channel}`);
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
  const rows = messages.map(({ messageId, conversationId, origin, originMessageId, inbound, content, sentAt, target, delivery }, index) => ({
    index, message_id: messageId, conversation_id: conversationId, connection_id: origin, provider_message_id: originMessageId, direction: inbound ? 'inbound' : 'outbound',
    author: inbound ? 'contact' : 'agent', kind: content.kind, content, sent_at: sentAt, target,
    ...(delivery && { status: delivery.status, rank: deliveryRank(delivery.status, delivery.error), error: delivery.error, at: delivery.at, target_message_id: delivery.providerMessageId }),
  }));
  const values = [tenantId, JSON.stringify(rows)];
  const from = `from jsonb_to_recordset($2::jsonb) as r(index int, message_id text, conversation_id text, connection_id text, provider_message_id text, direction text, author text, kind text, content jsonb,
    sent_at timestamptz, target text, status text, rank smallint, error jsonb, at timestamptz, target_message_id text)`;
  // Positions go on from what the conversation counts; it is locked.
  sql.enqueue(
    `insert into messages (tenant_id, message_id, conversation_id, position, connection_id, provider_message_id, direction, author, kind, content, sent_at, created_at)
     select $1, r.message_id, r.conversation_id, c.message_count + row_number() over (partition by r.conversation_id order by r.index), r.connection_id, r.provider_message_id, r.direction, r.author, r.kind, r.content, r.sent_at, r.sent_at
     ${from} join conversations c on c.conversation_id = r.conversation_id`,
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
  await sql.query(
    `update conversations c set
       message_count = c.message_count + u.count,
       last_inbound_provider_message_id = case when u.inbound_at >= coalesce(c.last_inbound_at, '-infinity') then coalesce(u.inbound_id, c.last_inbound_provider_message_id) else c.last_inbound_provider_message_id end,
       last_inbound_at = greatest(c.last_inbound_at, u.inbound_at),
       last_activity_at = greatest(c.last_activity_at, u.activity_at),
       closed_at = case when c.status = 'closed' then greatest(c.closed_at, u.activity_at) else c.closed_at end
     from (
       select r.conversation_id, count(*)::int as count, max(r.sent_at) as activity_at, max(r.sent_at) filter (where r.direction = 'inbound') as inbound_at,
              (array_agg(r.provider_message_id order by r.index desc) filter (where r.direction = 'inbound' and $1 <> ''))[1] as inbound_id
       ${from} group by r.conversation_id
     ) u where c.conversation_id = u.conversation_id`,
    values,
  );
}
