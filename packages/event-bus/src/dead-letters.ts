import { deadLetterIdSchema, hubError, parseEnvelope, type DeadLetterId, type Envelope, type TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { Pool } from 'pg';
import type { BusDriverName, BusSchema } from './bus-schema.ts';
import type { DeadLetter, DeadLetters } from './port.ts';

type Row = { id: string; seq: string; tenant_id: string; consumer_group: string; envelope: unknown; error_code: string; error_message: string; attempts: number; failed_at: Date };

/** In place of a consumer group: events that Kafka refused, so that they reached no group. Redriven, they go to the outbox again. */
export const relayGroup = '(outbox)';

/** Bytes of events that a page holds, beside the one that reaches it: an event may have megabytes, and all tenants share the process. */
const envelopesMaxBytes = 8 * 1024 * 1024;

/** Dead letters of the current tenant: read and redriven with the bus role, always by the tenant of the context. */
export function createDeadLetters(pool: Pool, { name }: BusSchema, driver: BusDriverName): DeadLetters {
  const table = `${name}.dead_letters`;
  const toOutbox = `sent as (
           insert into ${name}.outbox (tenant_id, envelope) select tenant_id, envelope from gone where consumer_group = '${relayGroup}' order by seq returning 1
         ), woken as (select pg_notify('${name}_outbox', '') from sent), `;
  return {
    async list({ limit, cursor, group }) {
      const { rows } = await pool.query<Row & { found: number }>(
        `select * from (
           select letter.*, count(*) over ()::int as found, sum(octet_length(envelope::text)) over (order by seq) - octet_length(envelope::text) as ahead
             from (select * from ${table} where tenant_id = $1 and seq > $2 and ($3::text is null or consumer_group = $3) order by seq limit $4) letter
         ) sized where ahead < $5 order by seq`,
        [currentTenant(), parseCursor(cursor), group ?? null, limit + 1, envelopesMaxBytes],
      );
      const page = rows.slice(0, limit);
      return { data: page.map(toDeadLetter), nextCursor: (rows[0]?.found ?? 0) > page.length ? (page.at(-1)?.seq ?? null) : null };
    },
    async find(id) {
      const { rows } = await pool.query<Row>(`select * from ${table} where tenant_id = $1 and id = $2`, [currentTenant(), id]);
      return rows[0] && toDeadLetter(rows[0]);
    },
    async redrive(ids) {
      // One statement: a letter is either dead or pending, never both or neither. `seq` is the order they failed in, so the lanes keep theirs.
      const { rows } = await pool.query<{ count: string }>(
        `with gone as (
           delete from ${table} where tenant_id = $1 and ($2::text[] is null or id = any($2)) returning *
         ), ${driver === 'kafka' ? toOutbox : ''}back as (
           insert into ${name}.pending_events (tenant_id, consumer_group, ordering_key, envelope)
             select tenant_id, consumer_group, ordering_key, envelope from gone where consumer_group <> '${relayGroup}' order by seq returning 1
         )
         select (select count(*) from gone) as count, pg_notify('${name}_pending', '')${driver === 'kafka' ? ', (select count(*) from woken) as woken' : ''}`,
        [currentTenant(), ids ?? null],
      );
      return Number(rows[0]?.count ?? 0);
    },
  };
}

function parseCursor(cursor: string | undefined): string {
  if (cursor === undefined) return '0';
  if (!/^\d{1,18}$/.test(cursor)) throw hubError('request.invalid', { issues: [{ path: 'cursor', message: 'is not a cursor of this list' }] });
  return cursor;
}

function toDeadLetter(row: Row): DeadLetter {
  return {
    // The casts are safe: both were written by the bus, the tenant from a parsed envelope or by the database's own check.
    deadLetterId: deadLetterIdSchema.parse(row.id) satisfies DeadLetterId,
    tenantId: row.tenant_id as TenantId,
    group: row.consumer_group,
    event: readEnvelope(row.envelope),
    error: { code: row.error_code, message: row.error_message },
    attempts: row.attempts,
    failedAt: row.failed_at.toISOString(),
  };
}

/** An event may be a dead letter because it does not parse; it is shown as it came. */
function readEnvelope(envelope: unknown): Envelope {
  try {
    return parseEnvelope(envelope);
  } catch {
    return envelope as Envelope;
  }
}
