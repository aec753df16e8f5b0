import type { MemberId } from '@switchboard/contracts';
import { sealedColumns, sealedValues, type Sealed } from '../sealing/create-realm-box.ts';
import type { AuthDatabase } from './client.ts';
import { insertRow, realmTables } from './realm-tables.ts';

export type FactorRow = Sealed & {
  readonly memberId: MemberId;
  readonly status: 'pending' | 'active';
  /** The step of the last code that was taken. */
  readonly lastStep: number;
  readonly recoveryHashes: readonly string[];
};

export type FactorPatch = Partial<Pick<FactorRow, 'status' | 'lastStep' | 'recoveryHashes'>>;

const columns = 'member_id as "memberId", status, last_step as "lastStep", recovery_hashes as "recoveryHashes"';

/** Rows of `second_factors`, or of `staff_second_factors`, as the current scope says. */
export function createFactorStore(db: AuthDatabase) {
  const query = (rest: string, memberId: MemberId): Promise<FactorRow[]> =>
    db.transaction(() => db.sql.query<FactorRow>(`select ${columns}, ${sealedColumns()} from ${realmTables().secondFactors} ${rest}`, [memberId]));

  return {
    async find(memberId: MemberId): Promise<FactorRow | undefined> {
      return (await query('where member_id = $1', memberId))[0];
    },

    /** Until the transaction ends, no other code of theirs is looked at. */
    async findForUpdate(memberId: MemberId): Promise<FactorRow | undefined> {
      return (await query('where member_id = $1 for update', memberId))[0];
    },

    insert: (row: FactorRow, at: Date): Promise<boolean> =>
      insertRow(db, realmTables().secondFactors, {
        member_id: row.memberId,
        status: row.status,
        last_step: row.lastStep,
        recovery_hashes: row.recoveryHashes,
        created_at: at,
        ...sealedValues(row),
      }),

    /** After `findForUpdate`. */
    async update(row: FactorRow, patch: FactorPatch): Promise<void> {
      const { status, lastStep, recoveryHashes } = { ...row, ...patch };
      await db.sql.query(`update ${realmTables().secondFactors} set status = $2, last_step = $3, recovery_hashes = $4 where member_id = $1`, [row.memberId, status, lastStep, recoveryHashes]);
    },

    async remove(memberId: MemberId): Promise<void> {
      await db.sql.query(`delete from ${realmTables().secondFactors} where member_id = $1`, [memberId]);
    },
  };
}
export type FactorStore = ReturnType<typeof createFactorStore>;
