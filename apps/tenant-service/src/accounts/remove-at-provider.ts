import type { ConnectionId } from '@switchboard/contracts';
import { findProvider } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';
import { webhookUrlOf } from '../domain/connection-record.ts';
import { hostsOf } from '../domain/hosts-of.ts';
import { effectiveAccount, loadMainAccount } from '../platform/platform-account.ts';
import type { RemoveOutcome } from '../providers/connect-strategy.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { withinTime } from '../providers/within-time.ts';
import type { StoredConnection } from '../store/connections.ts';
import type { AccountDependencies } from './dependencies.ts';

/** Milliseconds for all calls of one removal; somebody may be waiting. */
const removeMaxMs = 20_000;

/**
 * Takes back what the hub has set up at the provider for a connection of the current tenant, before its row goes: outside any transaction, as
 * far as the provider's API allows and nobody else needs it. It may run again. What fails is said, not thrown. `leaving`: connections that go
 * together with it and therefore do not count as somebody who needs it (all of a tenant that is erased).
 */
export async function removeAtProvider(
  deps: Pick<AccountDependencies, 'connections' | 'platformConnections' | 'egress' | 'config'>,
  connection: StoredConnection,
  leaving: readonly ConnectionId[] = [connection.connectionId],
): Promise<RemoveOutcome> {
  const { connections, config } = deps;
  const entry = findProvider(connection.provider);
  const strategy = findStrategy(connection.provider);
  const { draft } = connection;
  const own = (await connections.openAccount(connection)) ?? (draft && (await connections.openDraft(connection.connectionId, draft)));
  const account = own && (await effectiveAccount(deps, own, entry?.webhook.secretField ?? ''));
  if (entry === undefined || strategy === undefined || account === undefined) return { kind: 'nothing_to_remove', reason: 'The hub has no credentials for this connection.' };

  const main = strategy.isMadeInPlatform?.(account) === true ? await loadMainAccount(deps, entry, connection.connectionId) : undefined;
  const outcome = await strategy.remove(account, {
    connectionId: connection.connectionId,
    role: connection.role,
    egress: withinTime(deps.egress, removeMaxMs),
    hosts: hostsOf(entry, account),
    webhookUrl: webhookUrlOf(connection, config.publicWebhookUrl),
    main,
    async isInUseElsewhere(name, status = 'active') {
      const value = account.routingIdentifiers[name];
      if (value === undefined) return false;
      return await runAsSystem('does a connection of any tenant still need an account that is left', () => connections.hasOther(entry.id, { name, value }, status, leaving));
    },
  });
  return outcome.reason === undefined ? outcome : { ...outcome, reason: withoutSecrets(withoutSecrets(outcome.reason, account.credentials), main?.account.credentials ?? {}) };
}
