import { findProvider } from '@switchboard/providers';
import type { ConnectionId } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { webhookUrlOf } from '../domain/connection-record.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import { loadMainAccount } from '../platform/platform-account.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { withLearned } from '../providers/merge-learned.ts';
import { withinTime } from '../providers/within-time.ts';
import { isInUseElsewhere } from './check-draft.ts';
import type { AccountDependencies } from './dependencies.ts';
import { handshakeTokenHash, ownedIdentifiers } from './post-draft.ts';

/** Milliseconds for all calls about one connection. */
const recheckMaxMs = 30_000;
/** Connections that one round takes, a page of all in turn. */
const perRound = 50;

/** Looks again, by the clock, at working connections with something that the tenant was to do by hand (`toDoByHand`). One's trouble stops no other's. */
export async function recheckByHand(deps: AccountDependencies, log: Kit<unknown, unknown>['log']): Promise<void> {
  for (let afterId = ''; ; ) {
    const page = await runAsSystem('connections of all tenants with something to do by hand', () => deps.connections.listToDoByHand(perRound, afterId));
    const checks = await Promise.allSettled(page.map(({ tenantId, connectionId }) => runAsTenant(tenantId, () => deps.takeTurn(connectionId, () => recheck(deps, connectionId)))));
    for (const [index, check] of checks.entries()) {
      if (check.status === 'rejected') log.warn({ connectionId: page[index]?.connectionId, err: check.reason as unknown }, 'what is to be done by hand could not be looked at');
    }
    const last = page.at(-1);
    if (last === undefined || page.length < perRound) return;
    afterId = last.connectionId;
  }
}

async function recheck(deps: AccountDependencies, connectionId: ConnectionId): Promise<void> {
  const { db, tenants, connections, audit, bus, now } = deps;
  const connection = await connections.find(connectionId);
  const entry = connection && findProvider(connection.provider);
  const strategy = connection && findStrategy(connection.provider);
  const account = connection && (await connections.openAccount(connection));
  // What was posted since is checked by itself.
  if (connection === undefined || entry === undefined || strategy === undefined || account === undefined || connection.status !== 'active' || connection.draft !== undefined) return;
  const outcome = await strategy.verify(account, {
    connectionId,
    role: connection.role,
    egress: withinTime(deps.egress, recheckMaxMs),
    hosts: hostsOf(entry, account),
    webhookUrl: webhookUrlOf(connection, deps.config.publicWebhookUrl),
    main: strategy.isMadeInPlatform?.(account) === true ? await loadMainAccount(deps, entry, connectionId) : undefined,
    isInUseElsewhere: async (name) => await isInUseElsewhere(deps, entry, connectionId, { name, value: account.routingIdentifiers[name] }),
    mayHaveMade: true,
    waitMs: 0,
    keep: async () => false,
  });
  if (outcome.kind === 'unverified') return;
  const found = withLearned(account, outcome.learned);
  const isSameAccount = JSON.stringify(ownedIdentifiers(entry, found)) === JSON.stringify(ownedIdentifiers(entry, account));
  if (found.settings['toDoByHand'] === account.settings['toDoByHand'] || !isSameAccount) return;
  await db.transaction(async () => {
    await tenants.lock();
    const current = await connections.find(connectionId);
    if (current?.version !== connection.version || current.draft !== undefined) return;
    const { provider, role } = current;
    const version = await connections.activate(connectionId, found, handshakeTokenHash(deps, entry, found), now());
    await audit.append({ actor: 'hub', action: 'connection.looked_again', subject: connectionId, facts: { provider, version, toDoByHand: found.settings['toDoByHand'] ?? null } });
    await bus.publish('connection.changed', { connectionId, provider, role, status: 'active', version }, { orderingKey: connectionId });
  });
}
