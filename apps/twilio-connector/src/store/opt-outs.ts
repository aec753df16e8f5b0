import { connectionIdSchema, type ConnectionId, type TwilioOptOut } from '@switchboard/contracts';
import type { Database } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';

/** A contact at one of the tenant's senders. */
export type OptOutKey = { readonly sender: string; readonly address: string };

export type OptOutWord = OptOutKey & { readonly connectionId: ConnectionId; readonly isOut: boolean; readonly source: string; readonly at: Date };

/** Where a page of the list begins: after this row. */
export type OptOutPlace = OptOutKey & { readonly at: Date };

/** Who wants no messages from the current tenant's senders. Each function is a transaction, or joins the open one. */
export interface OptOuts {
  isOut(key: OptOutKey): Promise<boolean>;
  /** Keeps it unless something newer is known; of two at the same time the one that wants no messages counts. */
  note(word: OptOutWord): Promise<void>;
  /** Newest first. */
  list(filter: { readonly connectionId?: ConnectionId | undefined }, after: OptOutPlace | undefined, limit: number): Promise<TwilioOptOut[]>;
}

type Row = { connection_id: string; sender: string; address: string; source: string; said_at: Date };

export function createOptOuts(db: Pick<Database<unknown>, 'transaction' | 'sql'>): OptOuts {
  const query = <R extends object>(text: string, values: readonly unknown[]) => db.transaction(() => db.sql.query<R>(text, values));

  return {
    async isOut({ sender, address }) {
      const rows = await query('select sender from opt_outs where tenant_id = $1 and sender = $2 and address = $3 and is_out', [currentTenant(), sender, address]);
      return rows.length > 0;
    },
    async note({ sender, address, connectionId, isOut, source, at }) {
      // START is kept too: a STOP from before it, which comes late or once more, must find something newer.
      await query(
        `insert into opt_outs (tenant_id, sender, address, connection_id, is_out, source, said_at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (tenant_id, sender, address) do update
         set connection_id = excluded.connection_id, is_out = excluded.is_out, source = excluded.source, said_at = excluded.said_at
         where opt_outs.said_at < excluded.said_at or (opt_outs.said_at = excluded.said_at and excluded.is_out and not opt_outs.is_out)`,
        [currentTenant(), sender, address, connectionId, isOut, source, at],
      );
    },
    async list({ connectionId }, after, limit) {
      const rows = await query<Row>(
        `select connection_id, sender, address, source, said_at from opt_outs
         where tenant_id = $1 and is_out and ($2::text is null or connection_id = $2)
         and ($3::timestamptz is null or (said_at, sender, address) < ($3, $4, $5))
         order by said_at desc, sender desc, address desc limit $6`,
        [currentTenant(), connectionId ?? null, after?.at ?? null, after?.sender ?? null, after?.address ?? null, limit],
      );
      return rows.map((row) => ({ connectionId: connectionIdSchema.parse(row.connection_id), sender: row.sender, address: row.address, source: row.source, at: row.said_at.toISOString() }));
    },
  };
}
