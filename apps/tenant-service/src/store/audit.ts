import { newId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { TenantDatabase } from './client.ts';

/** `admin`: the platform through the API. `hub`: by itself, as re-checking credentials. */
export type Actor = 'admin' | 'hub';

export type AuditEntry = {
  readonly actor: Actor;
  readonly action: 'tenant.created' | 'api_key.created' | 'credentials.posted' | 'connection.activated' | 'connection.not_verified' | 'connection.taken_over' | 'routes.changed';
  /** Id of the thing. */
  readonly subject: string;
  /** What a reader wants to know, never a secret. */
  readonly facts?: Readonly<Record<string, string | number | readonly string[]>>;
};

/** Who did what to which thing; inside the transaction that does it. The runtime role cannot change or delete rows. */
export function createAudit(db: TenantDatabase) {
  return {
    async append(entry: AuditEntry): Promise<void> {
      // Ids sort by time, so that the key of the table is the order of the deeds.
      await db.sql.query('insert into audit_entries (tenant_id, audit_id, actor, action, subject, facts) values ($1, $2, $3, $4, $5, $6)', [
        currentTenant(),
        newId('aud'),
        entry.actor,
        entry.action,
        entry.subject,
        JSON.stringify(entry.facts ?? {}),
      ]);
    },
  };
}
export type Audit = ReturnType<typeof createAudit>;
