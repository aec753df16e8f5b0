import { hubError, type BodyOf, type ConnectionId, type ConnectionRecord, type rotateCredentials, type updateConnection } from '@switchboard/contracts';
import { connectionRecord } from '../domain/connection-record.ts';
import { changeAccount } from './change-account.ts';
import { checkDraft } from './check-draft.ts';
import type { AccountDependencies } from './dependencies.ts';
import { loadConnection, lockConnection } from './load-connection.ts';
import { disableConnection, enableConnection } from './switch-connection.ts';

/** Renames, switches and changes a connection of the current tenant. The answer shows what the provider said to it. */
export async function changeConnection(deps: AccountDependencies, connectionId: ConnectionId, { name, settings, status }: BodyOf<typeof updateConnection>): Promise<ConnectionRecord> {
  await loadConnection(deps, connectionId);
  if (status === 'disabled') {
    if (settings !== undefined) throw hubError('request.invalid', { issues: [{ path: 'body.settings', message: 'cannot change while the connection is switched off' }] });
    await disableConnection(deps, connectionId);
  } else if (settings !== undefined) {
    await changeAccount(deps, { connectionId, part: 'settings', changes: settings, enables: status === 'active' });
  } else if (status === 'active') {
    await enableConnection(deps, connectionId);
  }
  if (name !== undefined) await rename(deps, connectionId, name);
  if (settings !== undefined || status === 'active') await checkDraft(deps, { connectionId, actor: 'admin', waitMs: deps.config.connectWaitMs });
  return await show(deps, connectionId);
}

/** New credentials for a connection of the current tenant: in use when the provider has confirmed them, the old ones until then. */
export async function rotate(deps: AccountDependencies, connectionId: ConnectionId, { credentials }: BodyOf<typeof rotateCredentials>): Promise<ConnectionRecord> {
  await changeAccount(deps, { connectionId, part: 'credentials', changes: credentials, enables: false });
  await checkDraft(deps, { connectionId, actor: 'admin', waitMs: deps.config.connectWaitMs });
  return await show(deps, connectionId);
}

async function rename(deps: AccountDependencies, connectionId: ConnectionId, name: string | null): Promise<void> {
  const { db, connections, audit, now } = deps;
  await db.transaction(async () => {
    const before = await lockConnection(deps, connectionId);
    if (before.name === name) return;
    await connections.rename(connectionId, name, now());
    await audit.append({ action: 'connection.renamed', subject: connectionId, before: { name: before.name }, after: { name } });
  });
}

async function show(deps: AccountDependencies, connectionId: ConnectionId): Promise<ConnectionRecord> {
  return connectionRecord(await loadConnection(deps, connectionId), deps.config.publicWebhookUrl);
}
