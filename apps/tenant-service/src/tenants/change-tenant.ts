import { hubError, type BodyOf, type TenantRecord, type updateTenant } from '@switchboard/contracts';
import type { Dependencies } from '../app.ts';
import type { KeptTenant, TenantChange } from '../store/tenants.ts';
import { publishTenantChanged } from './publish-tenant-changed.ts';

type Wish = BodyOf<typeof updateTenant>;

/** Changes the current tenant, one change after the other; says in the audit what was there before. Throws `tenant.deleted` and `tenant.subdomain_taken`. */
export function changeTenant(deps: Pick<Dependencies, 'db' | 'bus' | 'tenants' | 'audit'>, wish: Wish): Promise<TenantRecord> {
  const { db, bus, tenants, audit } = deps;
  return db.transaction(async () => {
    const before = await tenants.lockAndLoad();
    const isDeleted = before.record.status === 'deleted';
    // Whoever would change a deleted tenant means one that is there: it is restored first, and not to being suspended.
    if (isDeleted && (wish.status !== 'active' || before.isEraseBegun)) throw hubError('tenant.deleted');

    const change: TenantChange = { ...withoutUndefined(wish), ...(isDeleted ? { deletedAt: null, deleteAfter: null } : {}) };
    const after = await tenants.update(change);
    const changed = differenceOf(before, after);
    if (Object.keys(changed.after).length === 0) return before.record;

    const reason = reasonOf(before, after);
    await audit.append({ action: `tenant.${reason}`, subject: after.record.tenant_id, ...changed });
    await publishTenantChanged(bus, after, reason);
    return after.record;
  });
}

function reasonOf({ record: before }: KeptTenant, { record: after }: KeptTenant) {
  if (before.status === after.status) return 'updated';
  if (after.status === 'suspended') return 'suspended';
  return before.status === 'deleted' ? 'restored' : 'activated';
}

/** The fields that are not the same any more, each as it was and as it is. */
function differenceOf({ record: before }: KeptTenant, { record: after }: KeptTenant): { before: Record<string, unknown>; after: Record<string, unknown> } {
  const was: Readonly<Record<string, unknown>> = before;
  const is: Readonly<Record<string, unknown>> = after;
  const fields = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((field) => JSON.stringify(was[field]) !== JSON.stringify(is[field]));
  const pick = (record: Readonly<Record<string, unknown>>) => Object.fromEntries(fields.map((field) => [field, record[field] ?? null]));
  return { before: pick(was), after: pick(is) };
}

function withoutUndefined(wish: Wish): TenantChange {
  // The cast is safe: fields only go, and a field that is undefined is the same as none.
  return Object.fromEntries(Object.entries(wish).filter(([, value]) => value !== undefined)) as TenantChange;
}
