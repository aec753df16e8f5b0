import type { ConversationId } from '@switchboard/contracts';
import type { SqlSession } from '@switchboard/db';
import { currentTenant } from '@switchboard/tenant-context';
import { newSession, type Session, type Turn } from '../turns/session.ts';

type Row = {
  conversation_id: Session['conversationId'];
  connection_id: Session['connectionId'];
  welcomed_at: Date | null;
  reached_at: Date | null;
  silent_from: Date | null;
  desk_since: Date | null;
  fallback_at: Date | null;
  after_hours_lead_at: Date | null;
  failures: number;
  turns: Turn[];
};

/** Sessions of the current tenant, in the open transaction; what is loaded is locked until its end. */
export interface Sessions {
  /** Made when there is none. */
  open(names: Pick<Session, 'conversationId' | 'connectionId'>): Promise<Session>;
  find(conversationId: ConversationId): Promise<Session | undefined>;
  store(session: Session): Promise<void>;
  /** For so many seconds this call to the bot is the only one in the conversation; again and again while it lasts. Undefined: another one is under way. */
  holdCall(conversationId: ConversationId, call: string, seconds: number): Promise<{ /** The call before it. */ readonly before: string | null } | undefined>;
  endCall(conversationId: ConversationId, call: string): Promise<void>;
}

export function createSessions(db: { readonly sql: SqlSession }): Sessions {
  const find = async (conversationId: ConversationId) => {
    const [row] = await db.sql.query<Row>('select * from chat_sessions where tenant_id = $1 and conversation_id = $2 for update', [currentTenant(), conversationId]);
    return row && sessionOf(row);
  };
  return {
    find,
    async open(names) {
      const known = await find(names.conversationId);
      if (known !== undefined) return known;
      await db.sql.query(`insert into chat_sessions (tenant_id, conversation_id, connection_id, turns) values ($1, $2, $3, '[]') on conflict do nothing`, [currentTenant(), names.conversationId, names.connectionId]);
      return (await find(names.conversationId)) ?? newSession(names);
    },
    async holdCall(conversationId, call, seconds) {
      const [held] = await db.sql.query<{ before: string | null }>(
        `with last as (select call_by from chat_sessions where tenant_id = $1 and conversation_id = $2 for update)
         update chat_sessions set call_by = $3, call_until = now() + make_interval(secs => $4)
         where tenant_id = $1 and conversation_id = $2 and (call_until is null or call_by = $3 or call_until < now()) returning (select call_by from last) as before`,
        [currentTenant(), conversationId, call, seconds],
      );
      return held;
    },
    async endCall(conversationId, call) {
      await db.sql.query('update chat_sessions set call_until = null where tenant_id = $1 and conversation_id = $2 and call_by = $3', [currentTenant(), conversationId, call]);
    },
    async store(session) {
      await db.sql.query(
        `update chat_sessions set connection_id = $3, welcomed_at = $4, reached_at = $5, silent_from = $6, desk_since = $7, fallback_at = $8, after_hours_lead_at = $9, failures = $10, turns = $11
         where tenant_id = $1 and conversation_id = $2`,
        [
          currentTenant(), session.conversationId, session.connectionId, dateOf(session.welcomedAt), dateOf(session.reachedAt), dateOf(session.silentFrom), dateOf(session.deskSince),
          dateOf(session.fallbackAt), dateOf(session.afterHoursLeadAt), session.failures, JSON.stringify(session.turns),
        ],
      );
    },
  };
}

function sessionOf(row: Row): Session {
  return {
    conversationId: row.conversation_id,
    connectionId: row.connection_id,
    welcomedAt: timeOf(row.welcomed_at),
    reachedAt: timeOf(row.reached_at),
    silentFrom: timeOf(row.silent_from),
    deskSince: timeOf(row.desk_since),
    fallbackAt: timeOf(row.fallback_at),
    afterHoursLeadAt: timeOf(row.after_hours_lead_at),
    failures: row.failures,
    turns: row.turns,
  };
}

function timeOf(date: Date | null): number | null {
  return date === null ? null : new Date(date).getTime();
}

function dateOf(time: number | null): Date | null {
  return time === null ? null : new Date(time);
}
