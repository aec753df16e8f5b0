import { newId, type ConnectionId, type Envelope, type ProviderId, type TenantId, type WebhookId, type WebhookRecord } from '@switchboard/contracts';
import type { EventBus } from '@switchboard/event-bus';
import { runAsSystem } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import type { IngestDatabase } from './client.ts';

/** A part of a webhook that was verified as this connection's. */
export type ReceivedWebhook = {
  readonly tenantId: TenantId;
  readonly connectionId: ConnectionId;
  readonly provider: ProviderId;
  readonly eventKey: string;
  /** What the same event would be called that came in the period before: it is the same one where that came within so many seconds. */
  readonly before: { readonly eventKey: string; readonly withinSeconds: number } | undefined;
  readonly orderingKey: string;
  readonly body: string;
  /** RFC 3339. */
  readonly receivedAt: string;
  readonly traceparent: string | undefined;
};

/** For events that the provider does not name: the same content of the same connection is the same event, for ever or within one `period`. */
export function contentKey(connectionId: ConnectionId, body: string, period?: number): string {
  return `content:${createHash('sha256').update(`${connectionId}\n${period === undefined ? '' : `${period}\n`}${body}`).digest('hex')}`;
}

/** Rows one statement of a replay reads and publishes. */
const replayPageRows = 500;

const recordColumns =
  `webhook_id as "webhookId", connection_id as "connectionId", provider, event_key as "eventKey", to_char(received_at at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as "receivedAt", body`;

/**
 * Bytes of bodies that are read at once, beside the one that reaches it: a webhook may have megabytes, a page hundreds of webhooks, and all tenants
 * share this process.
 */
const bodiesMaxBytes = 8 * 1024 * 1024;

/** The rows of `select` in this order as far as their bodies fit; `found`: how many there were. The sizes are known without reading the bodies. */
const asFarAsTheyFit = (select: string, order: 'asc' | 'desc') => `
  select ${recordColumns}, tenant_id as "tenantId", ordering_key as "orderingKey", found
    from (select w.*, count(*) over ()::int as found, sum(octet_length(body)) over (order by webhook_id ${order}) - octet_length(body) as ahead from (${select}) w) sized
   where ahead < ${bodiesMaxBytes} order by webhook_id ${order}`;

/** The webhook log. */
export function createWebhookStore(db: IngestDatabase, bus: EventBus) {
  return {
    /**
     * Stores webhooks of many tenants and publishes those that are new, in one commit. Returns how many were new; the others are there
     * already, or are twice among these.
     */
    store: (webhooks: readonly ReceivedWebhook[]): Promise<number> =>
      runAsSystem('one commit for webhooks of many tenants', () =>
        db.transaction(async () => {
          const rows = webhooks.map((webhook) => ({ webhookId: newId('whk'), webhook }));
          const inserted = await insert(db, rows);
          const fresh = rows.filter((row) => inserted.has(row.webhookId));
          await bus.publishMany(fresh.map(({ webhookId, webhook }) => envelopeOf(webhookId, webhook)));
          return fresh.length;
        }),
      ),

    /** Newest first, of the current tenant; fewer than `limit` where they are large. */
    list: (page: { readonly limit: number; readonly beforeId?: string; readonly connectionId?: string; readonly from?: string; readonly to?: string }): Promise<{ rows: WebhookRecord[]; hasMore: boolean }> =>
      db.transaction(async () => {
        const rows = await db.sql.query<StoredWebhook & { readonly found: number }>(
          asFarAsTheyFit(
            `select * from webhooks
              where ($1::text is null or webhook_id < $1) and ($2::text is null or connection_id = $2)
                and ($3::timestamptz is null or received_at >= $3) and ($4::timestamptz is null or received_at < $4)
              order by webhook_id desc limit $5`,
            'desc',
          ),
          [page.beforeId ?? null, page.connectionId ?? null, page.from ?? null, page.to ?? null, page.limit + 1],
        );
        const kept = rows.slice(0, page.limit);
        return { rows: kept.map(({ found: _found, tenantId: _tenant, orderingKey: _key, ...row }) => row), hasMore: (rows[0]?.found ?? 0) > kept.length };
      }),

    /** How many of these the current tenant has. */
    count: (webhookIds: readonly WebhookId[]): Promise<number> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ count: number }>('select count(*)::int as count from webhooks where webhook_id = any($1)', [webhookIds]);
        return row?.count ?? 0;
      }),

    /** Of these, oldest first, after `afterId`: as many as fit, until it is none. */
    listOf: (webhookIds: readonly WebhookId[], afterId: string): Promise<StoredWebhook[]> =>
      db.transaction(() => db.sql.query<StoredWebhook>(asFarAsTheyFit('select * from webhooks where webhook_id = any($1) and webhook_id > $2', 'asc'), [webhookIds, afterId])),

    /** Oldest first, after `afterId`; `replayPageRows` at most, and as many as fit, until it is none. */
    listRange: (range: { readonly connectionId: ConnectionId; readonly from: string; readonly to: string; readonly afterId: string }): Promise<StoredWebhook[]> =>
      db.transaction(() =>
        db.sql.query<StoredWebhook>(
          asFarAsTheyFit(`select * from webhooks where connection_id = $1 and received_at >= $2 and received_at < $3 and webhook_id > $4 order by webhook_id limit ${replayPageRows}`, 'asc'),
          [range.connectionId, range.from, range.to, range.afterId],
        ),
      ),

    /** Publishes them anew, in the order given: events of their own about the same webhooks. */
    replay: (webhooks: readonly StoredWebhook[]): Promise<void> =>
      db.transaction(async () => {
        for (const { webhookId, connectionId, provider, body, receivedAt, orderingKey } of webhooks) {
          await bus.publish(`webhook.received.${provider}`, { webhookId, connectionId, body, receivedAt }, { orderingKey: `${connectionId}:${orderingKey}` });
        }
      }),

    /** Deletes at most `limit` of the webhooks received before `before`, of all tenants; returns how many. */
    removeBefore: (before: Date, limit: number): Promise<number> =>
      db.transaction(async () => {
        const rows = await db.sql.query(
          'delete from webhooks where (tenant_id, webhook_id) in (select tenant_id, webhook_id from webhooks where received_at < $1 limit $2) returning webhook_id',
          [before, limit],
        );
        return rows.length;
      }),
  };
}
export type WebhookStore = ReturnType<typeof createWebhookStore>;

export type StoredWebhook = WebhookRecord & { readonly tenantId: TenantId; readonly orderingKey: string };

type Row = { readonly webhookId: WebhookId; readonly webhook: ReceivedWebhook };

async function insert(db: IngestDatabase, rows: readonly Row[]): Promise<Set<string>> {
  // In the order of the unique key: two commits that hold the same webhooks then wait for each other instead of deadlocking.
  const sorted = rows.toSorted((a, b) => compare(a.webhook.tenantId, b.webhook.tenantId) || compare(a.webhook.eventKey, b.webhook.eventKey));
  const column = <T extends string | number | null>(read: (row: Row) => T) => sorted.map(read);
  const inserted = await db.sql.query<{ webhookId: string }>(
    `insert into webhooks (tenant_id, webhook_id, connection_id, provider, event_key, ordering_key, body, received_at)
     select tenant, id, connection, given.provider, key, ordering, text, at
       from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::text[], $10::int[])
            as given (tenant, id, connection, provider, key, ordering, text, at, key_before, within_seconds)
      where key_before is null or not exists (
        select from webhooks w where w.tenant_id = tenant and w.provider = given.provider and w.event_key = key_before and w.received_at > at - make_interval(secs => within_seconds))
     on conflict (tenant_id, provider, event_key) do nothing
     returning webhook_id as "webhookId"`,
    [
      column((row) => row.webhook.tenantId),
      column((row) => row.webhookId),
      column((row) => row.webhook.connectionId),
      column((row) => row.webhook.provider),
      column((row) => row.webhook.eventKey),
      column((row) => row.webhook.orderingKey),
      column((row) => row.webhook.body),
      column((row) => row.webhook.receivedAt),
      column((row) => row.webhook.before?.eventKey ?? null),
      column((row) => row.webhook.before?.withinSeconds ?? null),
    ],
  );
  return new Set(inserted.map((row) => row.webhookId));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function envelopeOf(webhookId: WebhookId, webhook: ReceivedWebhook): Envelope {
  const { connectionId, body, receivedAt } = webhook;
  return {
    eventId: newId('evt'),
    type: `webhook.received.${webhook.provider}`,
    version: 1,
    tenantId: webhook.tenantId,
    occurredAt: receivedAt,
    ...(webhook.traceparent === undefined ? {} : { traceparent: webhook.traceparent }),
    orderingKey: `${connectionId}:${webhook.orderingKey}`,
    payload: { webhookId, connectionId, body, receivedAt },
  };
}
