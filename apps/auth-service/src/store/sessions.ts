import type { MemberId } from '@switchboard/contracts';
import type { RefreshState, SessionState } from '../domain/decide-refresh.ts';
import type { AuthDatabase } from './client.ts';
import { insertRow, realmTables } from './realm-tables.ts';

export type SessionId = `ses_${string}`;
export type SessionEnd = 'logout' | 'reused' | 'password_changed' | 'disabled' | 'revoked';

export type Session = SessionState & { readonly sessionId: SessionId; readonly memberId: MemberId; readonly createdAt: Date; readonly endReason: SessionEnd | null };

const columns = `session_id as "sessionId", member_id as "memberId", family_hash as "familyHash", token_hash as "tokenHash", previous_hash as "previousHash",
  successor_salt as "successorSalt", refreshed_at as "refreshedAt", created_at as "createdAt", expires_at as "expiresAt", ended_at as "endedAt", end_reason as "endReason"`;

/** Rows of `sessions`, or of `staff_sessions`, as the current scope says. */
export function createSessionStore(db: AuthDatabase) {
  return {
    insert: (session: Session, from: string | null): Promise<boolean> =>
      insertRow(db, realmTables().sessions, {
        session_id: session.sessionId,
        member_id: session.memberId,
        family_hash: session.familyHash,
        token_hash: session.tokenHash,
        created_at: session.createdAt,
        refreshed_at: session.refreshedAt,
        expires_at: session.expiresAt,
        from_address: from,
      }),

    async find(sessionId: string): Promise<Session | undefined> {
      return (await db.transaction(() => db.sql.query<Session>(`select ${columns} from ${realmTables().sessions} where session_id = $1`, [sessionId])))[0];
    },

    /** Until the transaction ends, nobody else refreshes or ends it. */
    async findForUpdate(sessionId: string): Promise<Session | undefined> {
      return (await db.sql.query<Session>(`select ${columns} from ${realmTables().sessions} where session_id = $1 for update`, [sessionId]))[0];
    },

    async rotate(sessionId: SessionId, { tokenHash, previousHash, successorSalt, refreshedAt }: RefreshState): Promise<void> {
      await db.sql.query(`update ${realmTables().sessions} set token_hash = $2, previous_hash = $3, successor_salt = $4, refreshed_at = $5 where session_id = $1`, [
        sessionId,
        tokenHash,
        previousHash,
        successorSalt,
        refreshedAt,
      ]);
    },

    /** False when it had ended. */
    async end(sessionId: SessionId, reason: SessionEnd, at: Date): Promise<boolean> {
      const rows = await db.sql.query(`update ${realmTables().sessions} set ended_at = $3, end_reason = $2 where session_id = $1 and ended_at is null returning 1`, [sessionId, reason, at]);
      return rows.length > 0;
    },

    /** How many were ended. */
    async endAllOf(memberId: MemberId, reason: SessionEnd, at: Date, but?: SessionId): Promise<number> {
      const rows = await db.sql.query(`update ${realmTables().sessions} set ended_at = $3, end_reason = $2 where member_id = $1 and ended_at is null and session_id <> $4 returning 1`, [
        memberId,
        reason,
        at,
        but ?? '',
      ]);
      return rows.length;
    },

    /** Of all tenants or of staff, in system scope: what ended, by itself or not, before. How many. */
    sweep: (table: 'sessions' | 'staff_sessions', refreshedBefore: Date, endedBefore: Date): Promise<number> =>
      db.transaction(async () => {
        const rows = await db.sql.query(`delete from ${table} where refreshed_at < $1 or ended_at < $2 or expires_at < $2 returning 1`, [refreshedBefore, endedBefore]);
        return rows.length;
      }),
  };
}
export type SessionStore = ReturnType<typeof createSessionStore>;
