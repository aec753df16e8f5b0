import type { ConnectionId } from '@switchboard/contracts';
import type { AccountDependencies } from './dependencies.ts';
import { loadConnection, lockConnection } from './load-connection.ts';

/** From now on only the present webhook secret of a connection of the current tenant counts. Returns how many others had counted. */
export async function endOverlap(deps: AccountDependencies, connectionId: ConnectionId): Promise<number> {
  const { db, connections, previousSecrets, bus, audit, now } = deps;
  await loadConnection(deps, connectionId);
  return await db.transaction(async () => {
    const { provider, role, status } = await lockConnection(deps, connectionId);
    const ended = await previousSecrets.deleteOf(connectionId, now());
    if (ended === 0) return 0;
    const version = await connections.touch(connectionId, now());
    await bus.publish('connection.changed', { connectionId, provider, role, status, version }, { orderingKey: connectionId });
    await audit.append({ action: 'webhook_secrets.ended', subject: connectionId, facts: { ended } });
    return ended;
  });
}
