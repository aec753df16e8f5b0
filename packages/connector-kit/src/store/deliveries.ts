import type { ConnectionId, DeliveryError, DeliveryStatus, MessageId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { Delivered, RenderedPart } from '../port.ts';

/**
 * - `planned`: not given to the provider yet, or refused by it for now
 * - `claimed`: the call was begun; found again after a crash, its outcome is not known
 * - `sent`, `failed`, `unknown`: settled
 */
export type DeliveryState = 'planned' | 'claimed' | 'sent' | 'failed' | 'unknown';

export type DeliveryPart = {
  readonly part: number;
  readonly state: DeliveryState;
  readonly request: RenderedPart;
  readonly providerMessageId: string | undefined;
  readonly providerConversationId: string | undefined;
};

/** A message on its way to one connection: the same message may go to two (a route was moved to another desk). */
export type DeliveryKey = { readonly messageId: MessageId; readonly connectionId: ConnectionId };

/** Attempts to hand messages to the provider, one row a part. Every function runs in the open transaction of a tenant. */
export interface Deliveries {
  /** The parts of a message as they were first rendered; `isNew` when this call stored them, with the first one claimed. */
  plan(message: DeliveryKey & { readonly parts: readonly RenderedPart[] }): Promise<{ readonly isNew: boolean; readonly parts: DeliveryPart[] }>;
  find(message: DeliveryKey): Promise<DeliveryPart[]>;
  /** False when the part was not `planned`: somebody else has it. */
  claim(message: DeliveryKey, part: number): Promise<boolean>;
  /** The provider certainly does not have it: it may be claimed again. */
  release(message: DeliveryKey, part: number): Promise<void>;
  /** False when it was settled as sent before. */
  settleSent(message: DeliveryKey, part: number, delivered: Delivered): Promise<boolean>;
  /** Leaves a part that was sent as it is. */
  settleFailed(message: DeliveryKey, part: number, state: 'failed' | 'unknown', error: DeliveryError): Promise<void>;
  findByProviderMessageId(connectionId: ConnectionId, providerMessageId: string): Promise<{ readonly messageId: MessageId; readonly part: number; readonly partCount: number } | undefined>;
  /** Notes the provider's later word on a part, unless it has said more before; returns what it said of each part of the message. */
  recordStatus(message: DeliveryKey, part: number, status: DeliveryStatus): Promise<(DeliveryStatus | undefined)[]>;
  /** In system scope: of every tenant, the oldest first, `limit` at most. Returns how many. */
  deleteOlderThan(days: number, limit: number): Promise<number>;
}

type Row = { part: number; state: DeliveryState; request: string; provider_message_id: string | null; provider_conversation_id: string | null };

function partOf(row: Row): DeliveryPart {
  return {
    part: row.part,
    state: row.state,
    // The cast is safe: only `plan` writes requests.
    request: JSON.parse(row.request) as RenderedPart,
    providerMessageId: row.provider_message_id ?? undefined,
    providerConversationId: row.provider_conversation_id ?? undefined,
  };
}

/** The key of a message's rows: the first parameters of every statement on them. */
const ofMessage = 'tenant_id = $1 and message_id = $2 and connection_id = $3';
const keyOf = ({ messageId, connectionId }: DeliveryKey) => [currentTenant(), messageId, connectionId];

/** Row-level security keeps every statement to the current tenant; the keys start with tenant_id all the same. */
export function createDeliveries(db: { readonly sql: SqlSession }): Deliveries {
  const find = async (message: DeliveryKey) => {
    const rows = await db.sql.query<Row>(`select part, state, request, provider_message_id, provider_conversation_id from deliveries where ${ofMessage} order by part`, keyOf(message));
    return rows.map(partOf);
  };

  return {
    find,
    async plan(message) {
      // Text, not jsonb: a repeated call must send the same bytes, and jsonb reorders keys.
      const requests = message.parts.map((part) => JSON.stringify(part));
      const inserted = await db.sql.query<Row>(
        `insert into deliveries (tenant_id, message_id, connection_id, part, state, request, claimed_at)
         select $1, $2, $3, ordinality - 1, case when ordinality = 1 then 'claimed' else 'planned' end, request, case when ordinality = 1 then now() end
         from unnest($4::text[]) with ordinality as rendered (request, ordinality)
         where not exists (select from deliveries where ${ofMessage})
         on conflict do nothing
         returning part, state, request, provider_message_id, provider_conversation_id`,
        [...keyOf(message), requests],
      );
      if (inserted.length === message.parts.length) return { isNew: true, parts: inserted.map(partOf).toSorted((a, b) => a.part - b.part) };
      return { isNew: false, parts: await find(message) };
    },
    async claim(message, part) {
      // Compare and set: of two processes that both believe to own the event (a partition has just moved) one makes the call.
      const claimed = await db.sql.query(`update deliveries set state = 'claimed', claimed_at = now() where ${ofMessage} and part = $4 and state = 'planned' returning part`, [...keyOf(message), part]);
      return claimed.length === 1;
    },
    async release(message, part) {
      db.sql.enqueue(`update deliveries set state = 'planned', claimed_at = null where ${ofMessage} and part = $4 and state = 'claimed'`, [...keyOf(message), part]);
    },
    async settleSent(message, part, delivered) {
      const settled = await db.sql.query(
        `update deliveries set state = 'sent', provider_message_id = $5, provider_conversation_id = $6, error_code = null, error_message = null, settled_at = now()
         where ${ofMessage} and part = $4 and state <> 'sent' returning part`,
        [...keyOf(message), part, delivered.providerMessageId ?? null, delivered.providerConversationId ?? null],
      );
      return settled.length === 1;
    },
    async settleFailed(message, part, state, error) {
      db.sql.enqueue(
        `update deliveries set state = $5, error_code = $6, error_message = $7, settled_at = now() where ${ofMessage} and part = $4 and state <> 'sent'`,
        [...keyOf(message), part, state, error.code, error.message],
      );
    },
    async findByProviderMessageId(connectionId, providerMessageId) {
      const [row] = await db.sql.query<{ message_id: MessageId; part: number; part_count: number }>(
        `select message_id, part,
           (select count(*)::int from deliveries as whole where whole.tenant_id = one.tenant_id and whole.message_id = one.message_id and whole.connection_id = one.connection_id) as part_count
         from deliveries as one where tenant_id = $1 and connection_id = $2 and provider_message_id = $3 limit 1`,
        [currentTenant(), connectionId, providerMessageId],
      );
      return row && { messageId: row.message_id, part: row.part, partCount: row.part_count };
    },
    async recordStatus(message, part, status) {
      // Statuses come in any order: sent < delivered < read; failed gives way to what proves it wrong.
      await db.sql.query(
        `update deliveries set status = $5 where ${ofMessage} and part = $4
         and coalesce(array_position(array['sent', 'failed', 'delivered', 'read'], status), 0) < array_position(array['sent', 'failed', 'delivered', 'read'], $5)`,
        [...keyOf(message), part, status],
      );
      const rows = await db.sql.query<{ status: DeliveryStatus | null }>(`select status from deliveries where ${ofMessage} order by part`, keyOf(message));
      return rows.map((row) => row.status ?? undefined);
    },
    async deleteOlderThan(days, limit) {
      const [gone] = await db.sql.query<{ count: number }>(
        `with gone as (
           delete from deliveries where ctid = any(array(
             select ctid from deliveries where created_at < now() - make_interval(days => $1) order by created_at limit $2))
           returning part)
         select count(*)::int as count from gone`,
        [days, limit],
      );
      return gone?.count ?? 0;
    },
  };
}
