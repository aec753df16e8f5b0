import { messageIdSchema, twilioUsageKinds, type ConnectionId, type MessageId, type TwilioUsageKind } from '@switchboard/contracts';
import type { RenderedPart } from '@switchboard/connector-kit';
import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { UsageItem } from '../usage/usage-item.ts';

type MessageKey = { readonly messageId: MessageId; readonly connectionId: ConnectionId };
export type Origin = { readonly connectionId: ConnectionId; readonly accountSid: string };
/** A part of a message that Twilio has, and that was not counted yet. */
export type UncountedPart = { readonly part: number; readonly request: RenderedPart; readonly sid: string | undefined };
export type UsageSum = { readonly accountSid: string; readonly kind: TwilioUsageKind; readonly count: number; readonly units: number };
export type AwaitedStatus = { readonly itemId: string; readonly sid: string; readonly at: Date };

/** What the current tenant used. Each function is a transaction, or joins the open one. */
export interface UsageItems {
  /** What is counted already stays; its units grow when more of it is known (a call has ended). */
  add(origin: Origin, items: readonly UsageItem[]): Promise<void>;
  /** `sent`: those that Twilio took. `begun`: also those of which only a status says so. */
  uncounted(message: MessageKey, of: 'sent' | 'begun', part?: number): Promise<UncountedPart[]>;
  /** Which of these inbound messages were counted, at whichever of the tenant's connections that are looked through: a number may be in the pool of another one's service. */
  known(sids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Twilio has said what became of it: nobody asks any more. */
  settle(connectionId: ConnectionId, sent: { readonly sid?: string | undefined; readonly itemId?: string | undefined }): Promise<void>;
  /** What was sent and should have an outcome by now, the oldest first. */
  awaited(connectionId: ConnectionId, now: Date, limit: number): Promise<AwaitedStatus[]>;
  /** Asked again then, or never. */
  putOff(connectionId: ConnectionId, itemId: string, lookAt: Date | null): Promise<void>;
  /** `from` included, `to` not. */
  sums(from: Date, to: Date): Promise<UsageSum[]>;
  /** In system scope: of every tenant, the oldest first, `limit` at most. Returns how many. */
  deleteOlderThan(days: number, limit: number): Promise<number>;
}

export function itemIdOf(messageId: MessageId, part: number): string {
  return `${messageIdSchema.parse(messageId)}.${part}`;
}

export function createUsageItems(db: Pick<Database<unknown>, 'transaction' | 'sql'>): UsageItems {
  const query = <Row extends object>(text: string, values: readonly unknown[]) => db.transaction(() => db.sql.query<Row>(text, values));

  return {
    async add({ connectionId, accountSid }, items) {
      for (const { itemId, kind, units, at, sid, lookAt } of items) {
        await query(
          `insert into usage_items (tenant_id, connection_id, item_id, account_sid, kind, units, at, sid, look_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
           on conflict (tenant_id, connection_id, item_id) do update set units = excluded.units where usage_items.units < excluded.units`,
          [currentTenant(), connectionId, itemId, accountSid, kind, units, at, sid ?? null, lookAt ?? null],
        );
      }
    },
    async uncounted({ messageId, connectionId }, of, part) {
      const rows = await query<{ part: number; request: string; sid: string | null }>(
        `select part, request, provider_message_id as sid from deliveries
         where tenant_id = $1 and message_id = $2 and connection_id = $3 and state = any($4) and ($5::int is null or part = $5)
         and not exists (select from usage_items where usage_items.tenant_id = $1 and usage_items.connection_id = $3 and item_id = message_id || '.' || part)
         order by part`,
        [currentTenant(), messageId, connectionId, of === 'sent' ? ['sent'] : ['sent', 'unknown', 'claimed'], part ?? null],
      );
      // The cast is safe: only the kit's `plan` writes requests.
      return rows.map((row) => ({ part: row.part, request: JSON.parse(row.request) as RenderedPart, sid: row.sid ?? undefined }));
    },
    async known(sids) {
      const rows = await query<{ item_id: string }>(
        'select item_id from usage_items where tenant_id = $1 and connection_id in (select connection_id from reconciliations where tenant_id = $1) and item_id = any($2)',
        [currentTenant(), sids],
      );
      return new Set(rows.map((row) => row.item_id));
    },
    async settle(connectionId, { sid, itemId }) {
      await query('update usage_items set look_at = null where tenant_id = $1 and connection_id = $2 and (item_id = $3 or sid = $4) and look_at is not null', [currentTenant(), connectionId, itemId ?? null, sid ?? null]);
    },
    async awaited(connectionId, now, limit) {
      const rows = await query<{ item_id: string; sid: string; at: Date }>(
        'select item_id, sid, at from usage_items where tenant_id = $1 and connection_id = $2 and look_at <= $3 and sid is not null order by look_at limit $4',
        [currentTenant(), connectionId, now, limit],
      );
      return rows.map(({ item_id: itemId, sid, at }) => ({ itemId, sid, at }));
    },
    async putOff(connectionId, itemId, lookAt) {
      await query('update usage_items set look_at = $4 where tenant_id = $1 and connection_id = $2 and item_id = $3 and look_at is not null', [currentTenant(), connectionId, itemId, lookAt]);
    },
    async sums(from, to) {
      const rows = await query<{ account_sid: string; kind: string; count: number; units: string }>(
        'select account_sid, kind, count(*)::int as count, sum(units)::text as units from usage_items where tenant_id = $1 and at >= $2 and at < $3 group by account_sid, kind',
        [currentTenant(), from, to],
      );
      return rows.flatMap(({ account_sid: accountSid, kind: text, count, units }) => {
        const kind = twilioUsageKinds.find((known) => known === text);
        return kind === undefined ? [] : [{ accountSid, kind, count, units: Number(units) }];
      });
    },
    async deleteOlderThan(days, limit) {
      const [gone] = await query<{ count: number }>(
        `with gone as (
           delete from usage_items where ctid = any(array(
             select ctid from usage_items where at < now() - make_interval(days => $1) order by at limit $2))
           returning item_id)
         select count(*)::int as count from gone`,
        [days, limit],
      );
      return gone?.count ?? 0;
    },
  };
}
