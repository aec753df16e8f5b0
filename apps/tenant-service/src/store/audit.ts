import { newId } from '@switchboard/contracts';
import { currentActor, currentTenant, type Actor as WhoDidIt } from '@switchboard/tenant-context';
import { withoutSecretFields } from '../domain/without-secret-fields.ts';
import type { TenantDatabase } from './client.ts';

/** `hub`: by itself, as re-checking credentials, also when somebody's call gave the occasion. `admin`: whoever calls. */
export type Actor = 'admin' | 'hub';

/** JSON; what looks like a secret is left out when it is stored. */
type Fields = Readonly<Record<string, unknown>>;

export type AuditEntry = {
  /** Who did it; whoever calls, when left out. */
  readonly actor?: Actor | WhoDidIt;
  /** What was done, in the past tense: `routes.changed`. */
  readonly action: `${string}.${string}`;
  /** Id of the thing. */
  readonly subject: string;
  /** What was changed as it was, and as it is now: the changed fields alone. */
  readonly before?: Fields;
  readonly after?: Fields;
  /** What else a reader wants to know. */
  readonly facts?: Fields;
  /** When it was not now. */
  readonly at?: Date;
};

/** Who did what to which thing; inside the transaction that does it. The runtime role cannot change or delete rows. */
export function createAudit(db: TenantDatabase) {
  return {
    /**
     * Goes with the next statement of the transaction, or its commit. A trigger chains it to the tenant's last entry, and other entries of this
     * tenant wait from then until the transaction ends: append late.
     */
    async append({ actor, action, subject, before, after, facts = {}, at }: AuditEntry): Promise<void> {
      const { kind, subject: actorSubject, from } = whoDidIt(actor);
      db.sql.enqueue(
        `insert into audit_entries (tenant_id, audit_id, at, actor, actor_subject, from_address, action, subject, before, after, facts)
         values ($1, $2, coalesce($3, current_timestamp), $4, $5, $6, $7, $8, $9, $10, $11)`,
        [currentTenant(), newId('aud'), at ?? null, kind, actorSubject, from, action, subject, jsonOf(before), jsonOf(after), jsonOf(facts)],
      );
    },

    /**
     * Removes the whole audit of the current tenant, which must be deleted; the database refuses any other. Returns how many entries there were
     * and the hash that the chain ended with, for the receipt.
     */
    erase: (): Promise<{ entries: number; hash: string | null }> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ entries: string | null; hash: string | null }>('select entries, hash from tenant.erase_audit()');
        return { entries: Number(row?.entries ?? 0), hash: row?.hash ?? null };
      }),
  };
}
export type Audit = ReturnType<typeof createAudit>;

function whoDidIt(actor: AuditEntry['actor']): WhoDidIt {
  if (actor === 'hub') return { kind: 'hub', subject: 'hub', from: null };
  if (typeof actor === 'object') return actor;
  const caller = currentActor();
  return actor === 'admin' && caller.kind === 'hub' ? { kind: 'admin', subject: 'admin-key', from: null } : caller;
}

function jsonOf(fields: Fields | undefined): string | null {
  return fields === undefined ? null : JSON.stringify(withoutSecretFields(fields));
}
