import type { TenantId } from '@switchboard/contracts';
import type { ServiceDefinition } from '@switchboard/service-kit';
import { createAuditReader, type AuditVerdict } from '@switchboard/tenant-service/audit';
import { runAsTenant } from '@switchboard/tenant-context';
import { openServiceDatabase, type Place } from './service-databases.ts';
import { tenantPages } from './tenant-pages.ts';

export type VerifyOptions = {
  readonly tenantService: ServiceDefinition;
  readonly databaseUrlOf: Place['databaseUrlOf'];
  /** This one alone; all of them when left out. */
  readonly tenantId?: TenantId | undefined;
  /** A head that was written down earlier: the entry of this sequence must have this hash still. */
  readonly expected?: { readonly sequence: number; readonly hash: string } | undefined;
  readonly onVerdict: (tenantId: TenantId, verdict: AuditVerdict) => void;
};

/** Follows the audit chains straight from the database; tenant-service may run or not. Returns how many are broken. */
export async function verifyAudits({ tenantService, databaseUrlOf, tenantId: only, expected, onVerdict }: VerifyOptions): Promise<{ tenants: number; entries: number; broken: number }> {
  const db = openServiceDatabase(tenantService, databaseUrlOf);
  const reader = createAuditReader(db);
  const sum = { tenants: 0, entries: 0, broken: 0 };
  try {
    for await (const page of only === undefined ? tenantPages(db, 500) : [[only]]) {
      for (const tenantId of page) {
        const verdict = await runAsTenant(tenantId, () => reader.verify(expected));
        sum.tenants += 1;
        sum.entries += verdict.entries;
        if (verdict.fault !== undefined) sum.broken += 1;
        onVerdict(tenantId, verdict);
      }
    }
    return sum;
  } finally {
    await db.close();
  }
}
