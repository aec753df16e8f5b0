import type { Author, ConnectionId, ConversationId, DeliveryError, DeliveryStatus, MessageId, MessageStatus } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import { deliveryRank } from '../domain/delivery-rank.ts';

/** A delivery that has grown, with the message it is about and where that came from. */
export type GrownDelivery = {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly status: DeliveryStatus;
  readonly error: DeliveryError | null;
  readonly author: Author;
  readonly originConnectionId: ConnectionId | null;
  readonly originProviderMessageId: string | null;
};

/**
 * Records a word on a delivery. Undefined: it says nothing new, or it is about nothing we sent. A word that comes before our own "sent"
 * has told us the provider's id is kept under that id, and taken up by the "sent": the unique key makes the two meet, in whatever order.
 */
export async function recordStatus(sql: SqlSession, word: MessageStatus): Promise<GrownDelivery | undefined> {
  const error = word.error === undefined ? null : JSON.stringify(word.error);
  const values = [currentTenant(), word.connectionId, word.providerMessageId ?? null, deliveryRank(word.status, word.error), word.status, error, word.at];
  const side = word.providerConversationId ?? null;
  if (word.messageId !== undefined) return grownDelivery(await sql.query<Row>(byOurId, [...values, side, word.messageId]));
  if (word.providerMessageId === undefined) return undefined;
  const grow = () => sql.query<Row>(byProviderId, [...values.slice(1), side]);
  const known = await grow();
  if (known.length > 0) return grownDelivery(known);
  const [kept] = await sql.query<{ message_id: MessageId | null }>(keepForLater, values);
  return kept === undefined || kept.message_id === null ? undefined : grownDelivery(await grow());
}

/** The left side of the statements' last join is there when the delivery is known, the right side when it has grown. */
function grownDelivery([row]: readonly Row[]): GrownDelivery | undefined {
  if (row === undefined || row.message_id === null) return undefined;
  return {
    messageId: row.message_id,
    conversationId: row.conversation_id,
    status: row.status,
    error: row.error,
    author: row.author,
    originConnectionId: row.connection_id,
    originProviderMessageId: row.provider_message_id,
  };
}

type Row = {
  readonly message_id: MessageId | null;
  readonly conversation_id: ConversationId;
  readonly status: DeliveryStatus;
  readonly error: DeliveryError | null;
  readonly author: Author;
  readonly connection_id: ConnectionId | null;
  readonly provider_message_id: string | null;
};

/**
 * The other side's own conversation id comes with the first answer of a desk. `known`, `heard` → what has grown. Values, not joins, for the
 * reason in find-conversation.ts.
 */
function growing(connection: string, side: string): string {
  return `
  counterpart as (
    update mappings k set provider_conversation_id = ${side}
    where ${side}::text is not null and k.conversation_id = (select conversation_id from known) and k.connection_id = ${connection} and k.provider_conversation_id is distinct from ${side}
  ), grown as (
    update deliveries d set rank = heard.rank, status = heard.status, error = heard.error, at = heard.at
    from heard
    where d.message_id = (select message_id from known) and d.connection_id = ${connection} and d.rank < heard.rank
    returning d.message_id, d.conversation_id, d.status, d.error
  )
  select grown.*, m.author, m.connection_id, m.provider_message_id
  from known left join grown on true left join messages m on m.message_id = (select message_id from known)`;
}

/** The provider's id is joined to the message; a word that waited under it counts too. */
const byOurId = `
  with known as (
    select message_id, conversation_id from deliveries where message_id = $9 and connection_id = $2
  ), joined as (
    insert into provider_messages as p (tenant_id, connection_id, provider_message_id, message_id, at)
    select $1, $2, $3, known.message_id, $7::timestamptz from known where $3::text is not null
    on conflict (tenant_id, connection_id, provider_message_id) do update set message_id = excluded.message_id where p.message_id is null
    returning p.rank, p.status, p.error, p.at
  ), heard as (
    select $4::smallint as rank, $5::text as status, $6::jsonb as error, $7::timestamptz as at
    union all select rank, status, error, at from joined where rank is not null
    order by rank desc limit 1
  ), ${growing('$2', '$8')}`;

const byProviderId = `
  with known as (
    select d.message_id, d.conversation_id from deliveries d
    where d.message_id = (select p.message_id from provider_messages p where p.connection_id = $1 and p.provider_message_id = $2) and d.connection_id = $1
  ), heard as (
    select $3::smallint as rank, $4::text as status, $5::jsonb as error, $6::timestamptz as at
  ), ${growing('$1', '$7')}`;

/** Answers the message when the id became known at this very moment. */
const keepForLater = `
  insert into provider_messages as p (tenant_id, connection_id, provider_message_id, rank, status, error, at)
  values ($1, $2, $3, $4::smallint, $5, $6::jsonb, $7::timestamptz)
  on conflict (tenant_id, connection_id, provider_message_id) do update set
    rank = case when p.message_id is null then greatest(p.rank, excluded.rank) else p.rank end,
    status = case when p.message_id is null and p.rank < excluded.rank then excluded.status else p.status end,
    error = case when p.message_id is null and p.rank < excluded.rank then excluded.error else p.error end
  returning p.message_id`;
