import type { ContactId, ProviderId, TenantId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';

/** Whose usage of which month has grown since it was told. */
export type Unreported = { readonly tenantId: TenantId; readonly month: string };

/** What has grown. */
export type UsageDelta = {
  readonly messages: readonly { readonly channel: ProviderId; readonly direction: 'inbound' | 'outbound'; readonly count: number }[];
  readonly mediaBytes: number;
  readonly contacts: readonly ContactId[];
};

/** Contacts that one event tells: some 16 KB. */
export const contactsToldMax = 500;

/** In system scope. */
export async function findUnreported(sql: SqlSession): Promise<Unreported[]> {
  return sql.query<Unreported>(
    `select tenant_id as "tenantId", month from usage_counters where unreported
     union select tenant_id, month from active_contacts where unreported
     order by 1, 2`,
  );
}

/**
 * What is to be told of the current tenant's month, marked as told: in the transaction that tells it. A row that a message is just being
 * stored with, or that another process tells of, is left for the next time; nobody waits.
 */
export async function takeUnreported(sql: SqlSession, month: string): Promise<UsageDelta> {
  const grown = await sql.query<{ channel: ProviderId; direction: 'inbound' | 'outbound'; slot: number; count: string; bytes: string }>(
    `select channel, direction, slot, (messages - reported_messages)::text as count, (media_bytes - reported_bytes)::text as bytes
     from usage_counters where month = $1 and unreported for update skip locked`,
    [month],
  );
  const contacts = await sql.query<{ contact_id: ContactId }>('select contact_id from active_contacts where month = $1 and unreported limit $2 for update skip locked', [month, contactsToldMax]);
  if (grown.length > 0) {
    // Locked above: they are what was read.
    sql.enqueue(
      `update usage_counters u set reported_messages = u.messages, reported_bytes = u.media_bytes, unreported = false
       from jsonb_to_recordset($2::jsonb) as told(channel text, direction text, slot smallint)
       where u.month = $1 and u.channel = told.channel and u.direction = told.direction and u.slot = told.slot`,
      [month, JSON.stringify(grown)],
    );
  }
  if (contacts.length > 0) sql.enqueue('update active_contacts set unreported = false where month = $1 and contact_id = any($2)', [month, contacts.map(({ contact_id: id }) => id)]);
  const counts = new Map<string, UsageDelta['messages'][number]>();
  for (const { channel, direction, count } of grown) {
    const key = `${channel} ${direction}`;
    counts.set(key, { channel, direction, count: (counts.get(key)?.count ?? 0) + Number(count) });
  }
  return { messages: [...counts.values()], mediaBytes: grown.reduce((sum, { bytes }) => sum + Number(bytes), 0), contacts: contacts.map(({ contact_id: id }) => id) };
}

/** Rows of one statement: well within the statement's time limit. */
const droppedAtOnceMax = 10_000;

/** Drops what was told of months before `month`, of all tenants; in system scope. Returns how many rows; call again until it is none. */
export async function dropReported(sql: SqlSession, month: string): Promise<number> {
  let total = 0;
  for (const table of ['usage_counters', 'active_contacts']) {
    const [row] = await sql.query<{ count: number }>(
      `with dropped as (delete from ${table} where ctid = any(array(select ctid from ${table} where month < $1 and not unreported limit $2)) returning 1) select count(*)::int as count from dropped`,
      [month, droppedAtOnceMax],
    );
    total += row?.count ?? 0;
  }
  return total;
}
