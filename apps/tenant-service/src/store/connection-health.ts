import type { ConnectionHealth, ConnectionId, PayloadOf } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';
import type { ConnectionHealth as HealthRow } from './generated/client.ts';

/** What was seen of a connection; what is left out was not looked at. */
export type SeenHealth = Omit<PayloadOf<'connection.health'>, 'connectionId' | 'provider'>;

/** Rows of `connection_health`, of the current tenant. */
export function createConnectionHealthStore(db: TenantDatabase) {
  return {
    /** Adds what was seen at `seenAt`; what is older than what is known changes nothing. Nothing happens for a connection that is gone. */
    note: (connectionId: ConnectionId, seen: SeenHealth, seenAt: string): Promise<void> =>
      db.transaction(async () => {
        await db.sql.query(
          `insert into connection_health as known (tenant_id, connection_id, last_webhook_at, last_success_at, error_code, error_message, error_at, token_expires_at, token_seen_at)
           select tenant_id, connection_id, $3::timestamptz, $4::timestamptz, $5::text, $6::text, $7::timestamptz, $8::timestamptz, $9::timestamptz from connections where tenant_id = $1 and connection_id = $2
           on conflict (tenant_id, connection_id) do update set
             last_webhook_at = greatest(known.last_webhook_at, excluded.last_webhook_at),
             last_success_at = greatest(known.last_success_at, excluded.last_success_at),
             error_code = case when ${isNewer('error_at')} then excluded.error_code else known.error_code end,
             error_message = case when ${isNewer('error_at')} then excluded.error_message else known.error_message end,
             error_at = greatest(known.error_at, excluded.error_at),
             token_expires_at = case when ${isNewer('token_seen_at')} then excluded.token_expires_at else known.token_expires_at end,
             token_seen_at = greatest(known.token_seen_at, excluded.token_seen_at)`,
          [
            currentTenant(),
            connectionId,
            seen.lastWebhookAt ?? null,
            seen.lastSuccessAt ?? null,
            seen.lastError?.code ?? null,
            seen.lastError?.message ?? null,
            seen.lastError?.at ?? null,
            seen.tokenExpiresAt ?? null,
            seen.tokenExpiresAt === undefined ? null : seenAt,
          ],
        );
      }),

    /** Whether a test may begin now: the last one was `everyMs` ago or longer. Of several that ask at once, one may. */
    beginTest: (connectionId: ConnectionId, now: Date, everyMs: number): Promise<boolean> =>
      db.transaction(async () => {
        const rows = await db.sql.query(
          `insert into connection_health as known (tenant_id, connection_id, tested_at)
           select tenant_id, connection_id, $3::timestamptz from connections where tenant_id = $1 and connection_id = $2
           on conflict (tenant_id, connection_id) do update set tested_at = excluded.tested_at where known.tested_at is null or known.tested_at <= $4
           returning 1`,
          [currentTenant(), connectionId, now, new Date(now.getTime() - everyMs)],
        );
        return rows.length > 0;
      }),
  };
}
export type ConnectionHealthStore = ReturnType<typeof createConnectionHealthStore>;

function isNewer(column: 'error_at' | 'token_seen_at'): string {
  return `excluded.${column} is not null and (known.${column} is null or excluded.${column} >= known.${column})`;
}

export function toHealth(row: HealthRow | null): ConnectionHealth {
  const { errorCode = null, errorMessage = null, errorAt = null } = row ?? {};
  return {
    lastWebhookAt: row?.lastWebhookAt?.toISOString() ?? null,
    lastSuccessAt: row?.lastSuccessAt?.toISOString() ?? null,
    lastError: errorCode === null || errorMessage === null || errorAt === null ? null : { code: errorCode, message: errorMessage, at: errorAt.toISOString() },
    tokenExpiresAt: row?.tokenExpiresAt?.toISOString() ?? null,
  };
}
