import type { ConnectionId } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import type { Call } from '../voicemail/call.ts';

/** A call at one of the tenant's connections: two connections may name two calls alike. */
export type CallKey = { readonly connectionId: ConnectionId; readonly callSid: string };

/** Calls of the current tenant, in the open transaction; what is loaded is locked until its end. */
export interface Calls {
  /** What is known of it; the first of those who come at the same moment makes it. */
  open(key: CallKey, make: () => Call): Promise<Call>;
  find(key: CallKey): Promise<Call | undefined>;
  store(call: Call): Promise<void>;
  /** In system scope: of every tenant, `limit` at most. Returns how many. */
  deleteOlderThan(days: number, limit: number): Promise<number>;
}

export function createCalls(db: Pick<Database<unknown>, 'sql'>): Calls {
  const find = async ({ connectionId, callSid }: CallKey) => {
    const [row] = await db.sql.query<{ state: Call }>('select state from calls where tenant_id = $1 and connection_id = $2 and call_sid = $3 for update', [currentTenant(), connectionId, callSid]);
    // Nobody but `store` writes it.
    return row?.state;
  };
  return {
    find,
    async open(key, make) {
      const known = await find(key);
      if (known !== undefined) return known;
      const made = make();
      // Whoever is second waits here for the first, and then finds what that one has written.
      await db.sql.query('insert into calls (tenant_id, connection_id, call_sid, state) values ($1, $2, $3, $4) on conflict do nothing', [currentTenant(), key.connectionId, key.callSid, JSON.stringify(made)]);
      return (await find(key)) ?? made;
    },
    async store(call) {
      await db.sql.query('update calls set state = $4 where tenant_id = $1 and connection_id = $2 and call_sid = $3', [currentTenant(), call.connectionId, call.callSid, JSON.stringify(call)]);
    },
    async deleteOlderThan(days, limit) {
      const [gone] = await db.sql.query<{ count: number }>(
        `with gone as (
           delete from calls where ctid = any(array(
             select ctid from calls where created_at < now() - make_interval(days => $1) order by created_at limit $2))
           returning call_sid)
         select count(*)::int as count from gone`,
        [days, limit],
      );
      return gone?.count ?? 0;
    },
  };
}
