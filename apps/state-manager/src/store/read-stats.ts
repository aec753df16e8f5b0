import type { SqlSession } from '@switchboard/db';

export type Stats = { readonly totalMappings: number; readonly totalMessages: number; readonly activeConversations: number; readonly todayMessages: number };

/** Counts of the tenant; messages by the conversations' own counters, because a tenant has a hundred times as many. A conversation that is mapped to a bot and a desk is one mapping. Today is the day of `now` in the time zone. */
export async function readStats(sql: SqlSession, now: Date, timeZone: string): Promise<Stats> {
  const [row] = await sql.query<Stats>(
    `select
       (select count(distinct conversation_id) from mappings)::int as "totalMappings",
       (select coalesce(sum(message_count), 0) from conversations)::int as "totalMessages",
       (select count(*) from conversations where status = 'open')::int as "activeConversations",
       (select count(*) from messages where created_at >= date_trunc('day', $1::timestamptz at time zone $2) at time zone $2)::int as "todayMessages"`,
    [now, timeZone],
  );
  return row ?? { totalMappings: 0, totalMessages: 0, activeConversations: 0, todayMessages: 0 };
}
