import type { MemberId } from '@switchboard/contracts';
import type { OneTimePurpose } from '../domain/lifetimes.ts';
import type { AuthDatabase } from './client.ts';
import { insertRow, realmTables } from './realm-tables.ts';

export type OneTimeRow = { readonly tokenId: string; readonly purpose: OneTimePurpose; readonly memberId: MemberId; readonly hash: string; readonly createdAt: Date; readonly expiresAt: Date };

const columns = 'token_id as "tokenId", purpose, member_id as "memberId", hash, created_at as "createdAt", expires_at as "expiresAt"';

/** Rows of `one_time_tokens`, or of `staff_one_time_tokens`, as the current scope says. A row that is gone was used, replaced or swept. */
export function createOneTimeTokenStore(db: AuthDatabase) {
  return {
    insert: (row: OneTimeRow): Promise<boolean> =>
      insertRow(db, realmTables().oneTimeTokens, { token_id: row.tokenId, purpose: row.purpose, member_id: row.memberId, hash: row.hash, created_at: row.createdAt, expires_at: row.expiresAt }),

    /** Until the transaction ends, nobody else uses it. */
    async findForUpdate(tokenId: string): Promise<OneTimeRow | undefined> {
      return (await db.sql.query<OneTimeRow>(`select ${columns} from ${realmTables().oneTimeTokens} where token_id = $1 for update`, [tokenId]))[0];
    },

    async find(tokenId: string): Promise<OneTimeRow | undefined> {
      return (await db.transaction(() => db.sql.query<OneTimeRow>(`select ${columns} from ${realmTables().oneTimeTokens} where token_id = $1`, [tokenId])))[0];
    },

    async remove(tokenId: string): Promise<void> {
      await db.sql.query(`delete from ${realmTables().oneTimeTokens} where token_id = $1`, [tokenId]);
    },

    async removeAllOf(memberId: MemberId, purpose?: OneTimePurpose): Promise<void> {
      await db.sql.query(`delete from ${realmTables().oneTimeTokens} where member_id = $1 and ($2::text is null or purpose = $2)`, [memberId, purpose ?? null]);
    },

    /** Of all tenants or of staff, in system scope. How many. */
    sweep: (table: 'one_time_tokens' | 'staff_one_time_tokens', expiredBefore: Date): Promise<number> =>
      db.transaction(async () => (await db.sql.query(`delete from ${table} where expires_at < $1 returning 1`, [expiredBefore])).length),
  };
}
export type OneTimeTokenStore = ReturnType<typeof createOneTimeTokenStore>;
