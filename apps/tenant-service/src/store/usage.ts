import type { PayloadOf, Plan, ProviderId, ReachedLimit, TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';

export type ChannelUsage = { readonly channel: ProviderId; readonly inbound: number; readonly outbound: number };

export type MonthUsage = { readonly byChannel: readonly ChannelUsage[]; readonly apiCalls: number; readonly mediaBytes: number; readonly activeContacts: number };

/** Messages by channel and direction, as JSON, of a tenant `t` in the month $1. */
const channelsOfTenant = `
  coalesce((select jsonb_agg(jsonb_build_object('channel', c.channel, 'inbound', c.inbound, 'outbound', c.outbound) order by c.channel)
    from (select channel, coalesce(sum(messages) filter (where direction = 'inbound'), 0) as inbound, coalesce(sum(messages) filter (where direction = 'outbound'), 0) as outbound
      from usage u where u.tenant_id = t.tenant_id and u.month = $1 group by channel) c), '[]') as "byChannel"`;

const totalsOfTenant = `coalesce(s.api_calls, 0)::float8 as "apiCalls", coalesce(s.media_bytes, 0)::float8 as "mediaBytes", coalesce(s.active_contacts, 0)::float8 as "activeContacts"`;

/** Rows of one statement: well within the statement's time limit. */
const droppedAtOnceMax = 10_000;

export type TenantUsage = MonthUsage & { readonly tenantId: TenantId; readonly name: string; readonly status: string; readonly plan: Plan };

/** Rows of `usage`, `usage_totals`, `usage_contacts` and `reached_limits`. */
export function createUsageStore(db: TenantDatabase) {
  return {
    /**
     * Adds what an event says to the current tenant's month, in the consumer's transaction. Answers the tenant's plan and its messages of the
     * month with it; undefined, and nothing is added, when there is no such tenant (any more).
     */
    async add({ month, messages, mediaBytes, apiCalls, contacts }: PayloadOf<'usage.recorded'>): Promise<{ plan: Plan; used: number } | undefined> {
      const tenantId = currentTenant();
      // Held, so that no erasing overtakes it.
      const [tenant] = await db.sql.query<{ plan: Plan }>('select plan from tenants where tenant_id = $1 for key share', [tenantId]);
      if (tenant === undefined) return undefined;
      db.sql.enqueue(
        `insert into usage as u (tenant_id, month, channel, direction, messages)
         select $1, $2, m.channel, m.direction, sum(m.count) from jsonb_to_recordset($3::jsonb) as m(channel text, direction text, count bigint) group by 3, 4
         on conflict (tenant_id, month, channel, direction) do update set messages = u.messages + excluded.messages`,
        [tenantId, month, JSON.stringify(messages)],
      );
      db.sql.enqueue(
        `with fresh as (insert into usage_contacts (tenant_id, month, contact_id) select $1, $2, unnest($3::text[]) on conflict do nothing returning 1)
         insert into usage_totals as t (tenant_id, month, api_calls, media_bytes, active_contacts) values ($1, $2, $4, $5, (select count(*) from fresh))
         on conflict (tenant_id, month) do update set api_calls = t.api_calls + excluded.api_calls, media_bytes = t.media_bytes + excluded.media_bytes,
           active_contacts = t.active_contacts + excluded.active_contacts`,
        [tenantId, month, contacts, apiCalls, mediaBytes],
      );
      const [row] = await db.sql.query<{ used: number }>('select coalesce(sum(messages), 0)::float8 as used from usage where month = $1', [month]);
      return { plan: tenant.plan, used: row?.used ?? 0 };
    },

    /** Of the current tenant. */
    load: (month: string): Promise<MonthUsage> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<MonthUsage>(
          `select ${totalsOfTenant}, ${channelsOfTenant} from tenants t left join usage_totals s on s.tenant_id = t.tenant_id and s.month = $1 where t.tenant_id = $2`,
          [month, currentTenant()],
        );
        return row ?? { byChannel: [], apiCalls: 0, mediaBytes: 0, activeContacts: 0 };
      }),

    /** Of tenants after an id, also of those that used nothing; in system scope. */
    listOfTenants: (month: string, limit: number, afterId: string | undefined): Promise<TenantUsage[]> =>
      db.transaction(() =>
        db.sql.query<TenantUsage>(
          `select t.tenant_id as "tenantId", t.name, t.status, t.plan, ${totalsOfTenant}, ${channelsOfTenant}
           from (select tenant_id, name, status, plan from tenants where tenant_id > $3 order by tenant_id limit $2) t
           left join usage_totals s on s.tenant_id = t.tenant_id and s.month = $1
           order by t.tenant_id`,
          [month, limit, afterId ?? ''],
        ),
      ),

    /** Notes that the current tenant has used so much of a limit; false when that was noted before. In the consumer's transaction. */
    async noteReached({ month, threshold, limit, used }: PayloadOf<'plan_limit.reached'>, at: Date): Promise<boolean> {
      const rows = await db.sql.query(
        'insert into reached_limits (tenant_id, month, threshold, "limit", used, reached_at) values ($1, $2, $3, $4, $5, $6) on conflict do nothing returning 1',
        [currentTenant(), month, threshold, limit, used, at],
      );
      return rows.length > 0;
    },

    /** Over all tenants, after a line; in system scope. */
    listReached: (month: string, limit: number, after: { readonly tenantId: string; readonly limit: number; readonly threshold: number }): Promise<ReachedLimit[]> =>
      db.transaction(async () => {
        const rows = await db.sql.query<Omit<ReachedLimit, 'reachedAt'> & { readonly reachedAt: Date }>(
          `select tenant_id as "tenantId", month, threshold, used::float8 as used, "limit"::float8 as "limit", reached_at as "reachedAt"
           from reached_limits where month = $1 and (tenant_id, "limit", threshold) > ($2, $3, $4)
           order by tenant_id, "limit", threshold limit $5`,
          [month, after.tenantId, after.limit, after.threshold, limit],
        );
        return rows.map((row) => ({ ...row, reachedAt: row.reachedAt.toISOString() }));
      }),

    /** Forgets contacts of months before `month`, some of all tenants'; in system scope. Returns how many; call again until it is none. */
    dropContactsBefore: (month: string): Promise<number> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ count: number }>(
          'with dropped as (delete from usage_contacts where ctid = any(array(select ctid from usage_contacts where month < $1 limit $2)) returning 1) select count(*)::int as count from dropped',
          [month, droppedAtOnceMax],
        );
        return row?.count ?? 0;
      }),

    /** Time zones of those of these tenants that exist; in system scope. */
    findTimeZones: (tenantIds: readonly TenantId[]): Promise<Map<TenantId, string>> =>
      db.transaction(async () => {
        const rows = await db.sql.query<{ tenant_id: TenantId; time_zone: string }>(`select tenant_id, coalesce(time_zone, 'UTC') as time_zone from tenants where tenant_id = any($1)`, [tenantIds]);
        return new Map(rows.map((row) => [row.tenant_id, row.time_zone]));
      }),
  };
}
export type UsageStore = ReturnType<typeof createUsageStore>;
