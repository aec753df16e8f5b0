import { newId } from '@switchboard/contracts';
import type { Actor } from '@switchboard/tenant-context';
import type { AuthDatabase } from './client.ts';

export type Deed = {
  readonly action: string;
  /** Id of the thing. */
  readonly subject: string;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
  /** What else a reader wants to know; never a secret. */
  readonly facts?: Readonly<Record<string, unknown>>;
};

/** Rows of `staff_audit_entries`; in system scope, inside the transaction of the change. Nobody changes or deletes them. */
export function createStaffAuditStore(db: AuthDatabase) {
  return {
    async append(at: Date, actor: Actor, { action, subject, before, after, facts }: Deed): Promise<void> {
      await db.sql.query('insert into staff_audit_entries (audit_id, at, actor, action, subject, facts) values ($1, $2, $3, $4, $5, $6)', [
        newId('aud'),
        at,
        JSON.stringify(actor),
        action,
        subject,
        JSON.stringify({ ...facts, ...(before !== undefined && { before }), ...(after !== undefined && { after }) }),
      ]);
    },
  };
}
export type StaffAuditStore = ReturnType<typeof createStaffAuditStore>;
