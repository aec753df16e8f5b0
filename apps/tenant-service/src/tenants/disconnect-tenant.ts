import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { removeConnection } from '../accounts/delete-connection.ts';
import { removeAtProvider } from '../accounts/remove-at-provider.ts';
import type { Dependencies } from '../app.ts';
import type { Erasure } from '../store/erasures.ts';

/** Tries, a minute apart, to have a provider let go; then the credentials go nevertheless, and the receipt says so. */
const attemptsMax = 5;

const unopened = { kind: 'failed', reason: 'The credentials could not be opened.' } as const;

/** Removes the connections of a tenant that is erased, each after its webhooks at the provider. */
export async function disconnectTenant(deps: Dependencies, { erasureId, tenantId, attempts }: Erasure): Promise<void> {
  const note = (fn: () => Promise<void>) => runAsSystem('an erasure outlives its tenant', fn);
  const left = await runAsTenant(tenantId, async () => {
    const connections = await deps.connections.list();
    const leaving = connections.map((connection) => connection.connectionId);
    let kept = 0;
    for (const connection of connections) {
      const { connectionId, provider } = connection;
      const [told] = await Promise.allSettled([removeAtProvider(deps, connection, leaving)]);
      const { kind: outcome, reason = null } = told.status === 'fulfilled' ? told.value : unopened;
      // Before its row goes: who comes after finds nothing to tell of.
      await note(() => deps.erasures.noteRemoval(erasureId, { connectionId, provider, outcome, reason }));
      if (outcome === 'failed' && attempts + 1 < attemptsMax) kept++;
      else if (told.status === 'fulfilled') await removeConnection(deps, connectionId, told.value);
      // What cannot be opened cannot be removed in order either: its row goes with all others, and whoever has a copy learns of it now.
      else await deps.bus.publish('connection.changed', { connectionId, provider, role: connection.role, status: 'deleted', version: connection.version + 1 }, { orderingKey: connectionId });
    }
    return kept;
  });
  await note(() => deps.erasures.noteAttempt(erasureId, left === 0 ? deps.now() : null));
}
