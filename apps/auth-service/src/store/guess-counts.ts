import type { AuthDatabase } from './client.ts';

export type GuessRule = {
  /** Failures that cost no wait. */
  readonly free: number;
  /** Milliseconds of the longest wait. */
  readonly waitMaxMs: number;
};

/** Rows of `guess_counts` and `known_addresses`; in system scope. Subjects are hashes: the tables name neither accounts nor addresses. */
export function createGuessStore(db: AuthDatabase) {
  return {
    /**
     * Counts one guess before it is made, so that a hundred at once are not one; undefined, or until when nothing is to be tried. Inside a
     * transaction that is rolled back when another count refuses.
     */
    async claim(subjectHash: string, { free, waitMaxMs }: GuessRule, now: Date, forgetBefore: Date): Promise<Date | undefined> {
      // The exponent is bounded before it is used: 2^1000 is no interval. Where there is no wait it is not "until now": of two guesses at once, one
      // has the earlier now.
      const [claimed] = await db.sql.query(
        `insert into guess_counts as c (subject_hash, failures, blocked_until, updated_at) values ($1, 1, 'epoch', $2)
         on conflict (subject_hash) do update set
           failures = case when c.updated_at < $3 then 1 else c.failures + 1 end,
           blocked_until = case when c.updated_at < $3 or c.failures + 1 <= $4 then 'epoch'::timestamptz
             else $2::timestamptz + least($5::float8, 1000 * power(2, least(c.failures - $4, 30))) * interval '1 millisecond' end,
           updated_at = $2
         where c.blocked_until <= $2 or c.updated_at < $3
         returning 1`,
        [subjectHash, now, forgetBefore, free, waitMaxMs],
      );
      if (claimed !== undefined) return undefined;
      const [blocked] = await db.sql.query<{ until: Date }>('select blocked_until as until from guess_counts where subject_hash = $1', [subjectHash]);
      return blocked?.until ?? now;
    },

    async forget(subjectHash: string): Promise<void> {
      await db.sql.query('delete from guess_counts where subject_hash = $1', [subjectHash]);
    },

    /** Takes one guess back, and the wait that it brought. */
    async giveBack(subjectHash: string): Promise<void> {
      await db.sql.query(`update guess_counts set failures = greatest(failures - 1, 0), blocked_until = 'epoch' where subject_hash = $1`, [subjectHash]);
    },

    async isKnown(subjectHash: string, seenAfter: Date): Promise<boolean> {
      return (await db.sql.query('select 1 from known_addresses where subject_hash = $1 and seen_at > $2', [subjectHash, seenAfter])).length > 0;
    },

    async remember(subjectHash: string, now: Date): Promise<void> {
      await db.sql.query('insert into known_addresses (subject_hash, seen_at) values ($1, $2) on conflict (subject_hash) do update set seen_at = $2', [subjectHash, now]);
    },

    async sweep(countedBefore: Date, seenBefore: Date): Promise<void> {
      await db.transaction(async () => {
        await db.sql.query('delete from guess_counts where updated_at < $1', [countedBefore]);
        await db.sql.query('delete from known_addresses where seen_at < $1', [seenBefore]);
      });
    },
  };
}
export type GuessStore = ReturnType<typeof createGuessStore>;
