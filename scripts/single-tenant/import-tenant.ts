import { hashHandshakeToken, ownedIdentifiers } from '../../apps/tenant-service/src/accounts/post-draft.ts';
import { updateAutomaticRoutes } from '../../apps/tenant-service/src/routing/update-routes.ts';
import { isHubError, newId, type TenantId } from '../../packages/contracts/src/index.ts';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';
import { currentTenant, runAsSystem } from '../../packages/tenant-context/src/index.ts';
import type { TenantStores } from './open-target.ts';
import type { Options } from './parse-options.ts';
import type { PlannedAccount } from './plan-accounts.ts';
import type { OldTenant } from './read-old-tenants.ts';
import type { Report } from './report.ts';

/**
 * Whether the current tenant is there already. Throws StartRefusal for one that waits to be erased, since what came to it would go with it, and for one
 * that was erased a moment ago, as POST /tenants does: copies of it may still be in somebody's memory.
 */
export async function isKnownTenant({ tenants, erasures, now }: TenantStores): Promise<boolean> {
  try {
    const { tenant_id: tenantId, status } = await tenants.load();
    if (status === 'deleted') throw new StartRefusal(`The tenant ${tenantId} is deleted here: restore it first (PATCH /tenants/${tenantId} {"status":"active"}), or import under another id with --tenant and --from-tenant.`);
    return true;
  } catch (error) {
    if (!isHubError(error) || error.code !== 'tenant.not_found') throw error;
    const tenantId = currentTenant();
    if (await runAsSystem('an id is free again some time after its tenant was erased', () => erasures.isStillSettling(tenantId, now()))) {
      throw new StartRefusal(`A tenant ${tenantId} is being erased, or was some minutes ago: import again a quarter of an hour after its erasing, or under another id with --tenant and --from-tenant.`);
    }
    return false;
  }
}

/** Makes the current tenant as the old installation had it; one that is there stays as it is. */
export async function importTenant(stores: TenantStores, tenantId: TenantId, tenant: OldTenant, report: Report): Promise<void> {
  const { db, bus, tenants, audit } = stores;
  const { name, status, plan, rateLimit, metadata } = tenant;
  await db.transaction(async () => {
    const insert = (subdomain: string | null) => tenants.insert({ name, subdomain, plan, rateLimit, metadata, timeZone: null });
    let inserted = await insert(tenant.subdomain);
    if (inserted.kind !== 'inserted' && inserted.kind !== 'id_taken') {
      report.note(`${tenantId}: the subdomain ${tenant.subdomain} is another tenant's here; left out.`);
      inserted = await insert(null);
    }
    if (inserted.kind !== 'inserted') return;
    if (status === 'suspended') await db.sql.query(`update tenants set status = 'suspended' where tenant_id = $1`, [tenantId]);
    await audit.append({ actor: 'admin', action: 'tenant.created', subject: tenantId, facts: { plan, rateLimit, by: 'migrate:single-tenant' } });
    await bus.publish('tenant.changed', { status, rateLimit, plan, timeZone: 'UTC', reason: 'imported' }, { orderingKey: tenantId });
  });
}

/** Stores one account of the current tenant: in use where nothing is missing, else waiting for what is. Nobody is asked here. */
export async function importAccount(stores: TenantStores, planned: PlannedAccount, options: Options, report: Report): Promise<void> {
  const { db, tenants, connections, identifiers, audit, bus, config, now } = stores;
  const { connectionId, entry, account, existing } = planned;
  const provider = entry.id;
  const role = entry.roles[0];
  await db.transaction(async () => {
    await tenants.lock();
    if (existing !== undefined || (await connections.find(connectionId)) !== undefined) {
      await connectLater(stores, planned, options);
      return;
    }
    const at = now();
    await connections.insertPending({ connectionId, provider, role, account, at });
    const token = entry.webhook.handshake === undefined ? undefined : account.credentials[entry.webhook.handshake.tokenField];
    const handshakeTokenHash = token === undefined ? null : hashHandshakeToken(config.apiKeyPepper, token);
    // The platform says so by importing it; the provider, when it is asked some day, says more.
    const taken = planned.isComplete ? await identifiers.claim(provider, ownedIdentifiers(entry, account), 'platform') : [];
    if (planned.isComplete && taken.length === 0) {
      const version = await connections.activate(connectionId, account, handshakeTokenHash, at);
      await audit.append({ actor: 'admin', action: 'connection.activated', subject: connectionId, facts: { provider, version, by: 'migrate:single-tenant' } });
      await bus.publish('connection.changed', { connectionId, provider, role, status: 'active', version }, { orderingKey: connectionId });
      await updateAutomaticRoutes(stores);
      return;
    }
    const reason = reasonOf(planned, taken.length > 0);
    report.note(`${connectionId} (${provider} ${Object.values(account.routingIdentifiers).join(' ')}) is pending. ${reason}`);
    await connections.putDraft(connectionId, { draftId: newId('drf'), account, handshakeTokenHash, reason, attempts: 1, nextCheckAt: isDue(planned, options) ? at : null });
    await audit.append({ actor: 'admin', action: 'credentials.posted', subject: connectionId, facts: { provider, fields: Object.keys(account.credentials), by: 'migrate:single-tenant' } });
    await bus.publish('connection.changed', { connectionId, provider, role, status: 'pending', version: 1 }, { orderingKey: connectionId });
  });
}

/** A run with --connect takes up what an earlier one without it left. */
async function connectLater({ connections, now }: TenantStores, planned: PlannedAccount, options: Options): Promise<void> {
  const id = planned.existing?.connectionId ?? planned.connectionId;
  const stored = await connections.find(id);
  if (stored?.draft === undefined || stored.status !== 'pending' || stored.draft.nextCheckAt !== null || !isDue(planned, options)) return;
  await connections.updateDraft(id, stored.draft.draftId, { nextCheckAt: now() });
}

function isDue({ faults }: PlannedAccount, { connect }: Options): boolean {
  return connect && faults.length === 0;
}

function reasonOf({ faults, entry }: PlannedAccount, isTaken: boolean): string {
  if (isTaken) return 'This account is already connected elsewhere in this installation. Disconnect it there first, then post its credentials.';
  if (faults.length > 0) return `Imported without all of its credentials (${faults.join('; ')}). Post them to use it.`;
  return `Imported, and ${entry.title} does not know the hub's webhook yet. Post the credentials, or import again with --connect.`;
}
