import { hubError, type ConnectionId } from '@switchboard/contracts';
import type { Account } from '../providers/connect-strategy.ts';
import type { StoredConnection } from '../store/connections.ts';
import type { AccountDependencies } from './dependencies.ts';

/** A connection of the current tenant. Throws `tenant.not_found`, `connection.not_found`: another tenant's is one that does not exist. */
export async function loadConnection({ tenants, connections }: Pick<AccountDependencies, 'tenants' | 'connections'>, connectionId: ConnectionId): Promise<StoredConnection> {
  await tenants.load();
  const connection = await connections.find(connectionId);
  if (connection === undefined) throw hubError('connection.not_found');
  return connection;
}

/** The same under the tenant's lock: it stays as it is until the transaction ends. */
export async function lockConnection({ tenants, connections }: Pick<AccountDependencies, 'tenants' | 'connections'>, connectionId: ConnectionId): Promise<StoredConnection> {
  await tenants.lock();
  const connection = await connections.find(connectionId);
  if (connection === undefined) throw hubError('connection.not_found');
  return connection;
}

/** What its tenant gave last, whether the provider has confirmed it or not. */
export async function openLatest({ connections }: Pick<AccountDependencies, 'connections'>, connection: StoredConnection): Promise<Account | undefined> {
  return connection.draft === undefined ? await connections.openAccount(connection) : await connections.openDraft(connection.connectionId, connection.draft);
}
