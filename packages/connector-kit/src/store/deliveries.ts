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

/** Attempts to hand messages to the provider, one row a part. Every function runs in the open transaction of a tenant. */
export interface Deliveries {
  /** The parts of a message as they were first rendered; `isNew` when this call stored them, with the first one claimed. */
  plan(message: { readonly messageId: MessageId; readonly connectionId: ConnectionId; readonly parts: readonly RenderedPart[] }): Promise<{ readonly isNew: boolean; readonly parts: DeliveryPart[] }>;
  find(messageId: MessageId): Promise<DeliveryPart[]>;
  claim(messageId: MessageId, part: number): Promise<void>;
  /** The provider certainly does not have it: it may be claimed again. */
  release(messageId: MessageId, part: number): Promise<void>;
  settleSent(messageId: MessageId, part: number, delivered: Delivered): Promise<void>;
  settleFailed(messageId: MessageId, part: number, state: 'failed' | 'unknown', error: DeliveryError): Promise<void>;
  findByProviderMessageId(connectionId: ConnectionId, providerMessageId: string): Promise<{ readonly messageId: MessageId; readonly part: number; readonly partCount: number } | undefined>;
  /** Notes the provider's later word on a part, unless it has said more before; returns what it said of each part of the message. */
  recordStatus(messageId: MessageId, part: number, status: DeliveryStatus): Promise<(DeliveryStatus | undefined)[]>;
  /** In system scope: of every tenant. */
  deleteOlderThan(days: number): Promise<void>;
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

/** Row-level security keeps every statement to the current tenant; the keys start with tenant_id all the same. */
export function createDeliveries(db: { readonly sql: SqlSession }): Deliveries {
  const find = async (messageId: MessageId) => {
    const rows = await db.sql.query<Row>(
      'select part, state, request, provider_message_id, provider_conversation_id from deliveries where tenant_id = $1 and message_id = $2 order by part',
      [currentTenant(), messageId],
    );
    return rows.map(partOf);
  };

  return {
    find,
    async plan({ messageId, connectionId, parts }) {
      // Text, not jsonb: a repeated call must send the same bytes, and jsonb reorders keys.
      const requests = parts.map((part) => JSON.stringify(part));
      const inserted = await db.sql.query<Row>(
        `insert into deliveries (tenant_id, message_id, part, connection_id, state, request, claimed_at)
         select $1, $2, ordinality - 1, $3, case when ordinality = 1 then 'claimed' else 'planned' end, request, case when ordinality = 1 then now() end
         from unnest($4::text[]) with ordinality as rendered (request, ordinality)
         where not exists (select from deliveries where tenant_id = $1 and message_id = $2)
         on conflict do nothing
         returning part, state, request, provider_message_id, provider_conversation_id`,
        [currentTenant(), messageId, connectionId, requests],
      );
      if (inserted.length === parts.length) return { isNew: true, parts: inserted.map(partOf).toSorted((a, b) => a.part - b.part) };
      return { isNew: false, parts: await find(messageId) };
    },
    async claim(messageId, part) {
      await db.sql.query(`update deliveries set state = 'claimed', claimed_at = now() where tenant_id = $1 and message_id = $2 and part = $3`, [currentTenant(), messageId, part]);
    },
    async release(messageId, part) {
      await db.sql.query(`update deliveries set state = 'planned', claimed_at = null where tenant_id = $1 and message_id = $2 and part = $3 and state = 'claimed'`, [currentTenant(), messageId, part]);
    },
    async settleSent(messageId, part, delivered) {
      await db.sql.query(
        `update deliveries set state = 'sent', provider_message_id = $4, provider_conversation_id = $5, settled_at = now() where tenant_id = $1 and message_id = $2 and part = $3`,
        [currentTenant(), messageId, part, delivered.providerMessageId ?? null, delivered.providerConversationId ?? null],
      );
    },
    async settleFailed(messageId, part, state, error) {
      await db.sql.query(
        `update deliveries set state = $4, error_code = $5, error_message = $6, settled_at = now() where tenant_id = $1 and message_id = $2 and part = $3`,
        [currentTenant(), messageId, part, state, error.code, error.message],
      );
    },
    async findByProviderMessageId(connectionId, providerMessageId) {
      const [row] = await db.sql.query<{ message_id: MessageId; part: number; part_count: number }>(
        `select message_id, part, (select count(*)::int from deliveries as whole where whole.tenant_id = one.tenant_id and whole.message_id = one.message_id) as part_count
         from deliveries as one where tenant_id = $1 and connection_id = $2 and provider_message_id = $3 limit 1`,
        [currentTenant(), connectionId, providerMessageId],
      );
      return row && { messageId: row.message_id, part: row.part, partCount: row.part_count };
    },
    async recordStatus(messageId, part, status) {
      // Statuses come in any order: sent < delivered < read; failed gives way to what proves it wrong.
      await db.sql.query(
        `update deliveries set status = $4 where tenant_id = $1 and message_id = $2 and part = $3
         and coalesce(array_position(array['sent', 'failed', 'delivered', 'read'], status), 0) < array_position(array['sent', 'failed', 'delivered', 'read'], $4)`,
        [currentTenant(), messageId, part, status],
      );
      const rows = await db.sql.query<{ status: DeliveryStatus | null }>('select status from deliveries where tenant_id = $1 and message_id = $2 order by part', [currentTenant(), messageId]);
      return rows.map((row) => row.status ?? undefined);
    },
    async deleteOlderThan(days) {
      await db.sql.query('delete from deliveries where created_at < now() - make_interval(days => $1)', [days]);
    },
  };
}
