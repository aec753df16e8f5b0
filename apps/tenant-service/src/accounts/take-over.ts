import { newId } from '@switchboard/contracts';
import type { ProviderEntry } from '@switchboard/providers';
import { currentTenant, runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { isWeaker, type Proof } from '../domain/proof-of.ts';
import { updateAutomaticRoutes } from '../routing/update-routes.ts';
import type { StoredConnection } from '../store/connections.ts';
import type { Identifier } from '../store/identifiers.ts';
import type { AccountDependencies } from './dependencies.ts';
import { handshakeTokenHash, ownedIdentifiers } from './post-draft.ts';

const reason =
  'Somebody else in this installation has proved that this account is theirs, at an address that counts for more than the one given with these credentials. Post credentials that the provider itself confirms, without an address of your own.';

/**
 * Frees identifiers that the current tenant has just proved to be its own from tenants whose proof is weaker: their connections become
 * pending, with the reason. Each in a transaction of its own tenant, outside of any other; claiming what is free then is the caller's.
 */
export async function takeOver(deps: AccountDependencies, entry: ProviderEntry, proved: readonly Identifier[], proof: Proof): Promise<void> {
  const tenantId = currentTenant();
  if (proved.length === 0) return;
  const claims = await runAsSystem('who owns accounts that a tenant has proved to be its own', () => deps.identifiers.findClaims(entry.id, proved));
  const weaker = claims.filter((claim) => claim.tenantId !== tenantId && isWeaker(claim.proof, proof));
  for (const owner of new Set(weaker.map((claim) => claim.tenantId))) await runAsTenant(owner, () => yieldTo(deps, entry, proved, proof));
}

async function yieldTo(deps: AccountDependencies, entry: ProviderEntry, proved: readonly Identifier[], proof: Proof): Promise<void> {
  const { db, tenants, identifiers, connections } = deps;
  await db.transaction(async () => {
    await tenants.lock();
    // Looked at again under the lock: the tenant may have proved more in between.
    const lost = (await identifiers.findClaims(entry.id, proved)).filter((claim) => isWeaker(claim.proof, proof));
    const isLost = (connection: StoredConnection) => ownedIdentifiers(entry, connection).some(({ name, value }) => lost.some((claim) => claim.name === name && claim.value === value));
    const confirmed = (await connections.list({ provider: entry.id })).filter((connection) => connection.sealedCredentials !== null);
    for (const connection of confirmed.filter(isLost)) await suspend(deps, entry, connection);
    await identifiers.releaseExcept(entry.id, confirmed.filter((connection) => !isLost(connection)).flatMap((connection) => ownedIdentifiers(entry, connection)));
    await updateAutomaticRoutes(deps);
  });
}

/** The account in use becomes a draft that nobody checks until it is posted again; one that was posted since stays in its place. */
async function suspend(deps: AccountDependencies, entry: ProviderEntry, connection: StoredConnection): Promise<void> {
  const { connections, audit, bus, now } = deps;
  const { connectionId, provider, role, draft } = connection;
  const account = await connections.openAccount(connection);
  if (draft !== undefined) await connections.updateDraft(connectionId, draft.draftId, { reason });
  else if (account !== undefined) {
    await connections.putDraft(connectionId, { draftId: newId('drf'), account, handshakeTokenHash: handshakeTokenHash(deps, entry, account), reason, attempts: 1, nextCheckAt: null });
  }
  const version = await connections.suspend(connectionId, now());
  await audit.append({ actor: 'hub', action: 'connection.taken_over', subject: connectionId, facts: { provider, reason } });
  await bus.publish('connection.changed', { connectionId, provider, role, status: 'pending', version }, { orderingKey: connectionId });
}
