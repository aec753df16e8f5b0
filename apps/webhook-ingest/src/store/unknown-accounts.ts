import type { ProviderId } from '@switchboard/contracts';
import type { IngestDatabase } from './client.ts';

export type UnknownAccount = {
  readonly provider: ProviderId;
  /** `name:value` */
  readonly account: string;
  readonly count: number;
  /** RFC 3339. */
  readonly firstAt: string;
  readonly lastAt: string;
};

/** Rows over all providers: more than anybody reads. Strangers can invent accounts; those heard of longest ago make room. */
export const unknownAccountsMax = 10_000;

/** Where a page of the list ended. */
export type UnknownAccountPosition = Pick<UnknownAccount, 'provider' | 'account' | 'lastAt'>;

/** Accounts that webhooks named and nobody has connected: a platform table, in system scope. */
export function createUnknownAccountStore(db: IngestDatabase) {
  return {
    /** Adds to what is known of these; what is too many afterwards goes. */
    add: (accounts: readonly UnknownAccount[]): Promise<void> =>
      db.transaction(async () => {
        // In the order of the key: processes that add the same ones wait for each other instead of deadlocking.
        const sorted = accounts.toSorted((a, b) => (`${a.provider}|${a.account}` < `${b.provider}|${b.account}` ? -1 : 1));
        const column = <T>(read: (account: UnknownAccount) => T) => sorted.map(read);
        await db.sql.query(
          `insert into unknown_accounts as known (provider, account, count, first_at, last_at)
           select * from unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[])
           on conflict (provider, account) do update
             set count = least(known.count::bigint + excluded.count, 2147483647)::int, first_at = least(known.first_at, excluded.first_at), last_at = greatest(known.last_at, excluded.last_at)`,
          [column(({ provider }) => provider), column(({ account }) => account), column(({ count }) => count), column(({ firstAt }) => firstAt), column(({ lastAt }) => lastAt)],
        );
        await db.sql.query(`delete from unknown_accounts u using (select provider, account from unknown_accounts order by last_at desc offset ${unknownAccountsMax}) oldest where u.provider = oldest.provider and u.account = oldest.account`);
      }),

    /** Those heard of last first. */
    list: async (page: { readonly limit: number; readonly provider?: ProviderId; readonly after?: UnknownAccountPosition }): Promise<UnknownAccount[]> => {
      const rows = await db.transaction(() =>
        db.sql.query<Omit<UnknownAccount, 'firstAt' | 'lastAt'> & { firstAt: Date; lastAt: Date }>(
          `select provider, account, count, first_at as "firstAt", last_at as "lastAt" from unknown_accounts
            where ($1::text is null or provider = $1) and ($2::timestamptz is null or (last_at, provider, account) < ($2, $3, $4))
            order by last_at desc, provider desc, account desc limit $5`,
          [page.provider ?? null, page.after?.lastAt ?? null, page.after?.provider ?? null, page.after?.account ?? null, page.limit],
        ),
      );
      return rows.map((row) => ({ ...row, firstAt: row.firstAt.toISOString(), lastAt: row.lastAt.toISOString() }));
    },

    removeBefore: (before: Date): Promise<unknown> => db.transaction(() => db.sql.query('delete from unknown_accounts where last_at < $1', [before])),
  };
}
export type UnknownAccountStore = ReturnType<typeof createUnknownAccountStore>;
