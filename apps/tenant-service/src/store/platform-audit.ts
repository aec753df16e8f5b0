import { newId } from '@switchboard/contracts';
import { currentActor } from '@switchboard/tenant-context';
import { withoutSecretFields } from '../domain/without-secret-fields.ts';
import type { TenantDatabase } from './client.ts';

export type PlatformDeed = {
  /** What was done, in the past tense. */
  readonly action: `${string}.${string}`;
  /** Id of the thing. */
  readonly subject: string;
  /** What else a reader wants to know; what looks like a secret is left out. */
  readonly facts?: Readonly<Record<string, unknown>>;
};

/** Rows of `platform_audit_entries`: who of the platform did what that is no tenant's. In system scope, inside the transaction of the change; nobody changes or deletes them. */
export function createPlatformAudit(db: TenantDatabase) {
  return {
    async append(at: Date, { action, subject, facts = {} }: PlatformDeed): Promise<void> {
      await db.sql.query('insert into platform_audit_entries (audit_id, at, actor, action, subject, facts) values ($1, $2, $3, $4, $5, $6)', [newId('aud'), at, JSON.stringify(currentActor()), action, subject, JSON.stringify(withoutSecretFields(facts))]);
    },
  };
}
export type PlatformAudit = ReturnType<typeof createPlatformAudit>;
