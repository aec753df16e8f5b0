import { hubError } from '@switchboard/contracts';
import { findProvider, providers } from '@switchboard/providers';
import { withoutSecrets } from '@switchboard/secrets';
import type { AccountDependencies } from '../accounts/dependencies.ts';
import { openLatest } from '../accounts/load-connection.ts';
import { loadMainAccount } from '../platform/platform-account.ts';
import { findStrategy } from '../providers/find-strategy.ts';
import { withinTime } from '../providers/within-time.ts';
import type { StoredConnection } from '../store/connections.ts';

/** Milliseconds for all calls about one connection. */
const followMaxMs = 20_000;
/** Milliseconds until a provider that could not follow is asked again; for a day. */
const askAgainMs = 60_000;

/**
 * Has what the hub made for the current tenant at providers work while the tenant is active, and not while it is suspended or deleted; what the
 * tenant brought is left alone. As the tenant is now, whatever event led here: the last state wins. Throws, to be tried again, when a provider did not follow.
 */
export async function followTenant(deps: AccountDependencies): Promise<void> {
  const { status } = await deps.tenants.load();
  const makers = Object.values(providers).filter(({ id }) => findStrategy(id)?.followTenant !== undefined);
  for (const { id } of makers) {
    for (const connection of await deps.connections.list({ provider: id })) await follow(deps, connection, status === 'active');
  }
}

async function follow(deps: AccountDependencies, connection: StoredConnection, isActive: boolean): Promise<void> {
  const entry = findProvider(connection.provider);
  const strategy = findStrategy(connection.provider);
  const account = await openLatest(deps, connection);
  if (entry === undefined || account === undefined || strategy?.isMadeInPlatform?.(account) !== true) return;
  const main = await loadMainAccount(deps, entry, connection.connectionId);
  if (main === undefined) return;
  const { connectionId } = connection;
  const fault = await strategy.followTenant?.(account, { connectionId, egress: withinTime(deps.egress, followMaxMs), main }, isActive);
  if (fault === undefined) return;
  const reason = withoutSecrets(withoutSecrets(fault.reason, account.credentials), main.account.credentials);
  throw hubError(fault.code, { retry: { afterMs: askAgainMs, counted: false }, detail: { connectionId, reason } });
}
