import { findProvider } from '@switchboard/providers';
import type { ConnectionId } from '@switchboard/contracts';
import { updateAutomaticRoutes } from '../routing/update-routes.ts';
import type { AccountDependencies } from './dependencies.ts';
import { lockConnection, openLatest } from './load-connection.ts';
import { replaceDraft } from './post-draft.ts';

/** Switches a connection of the current tenant off: it sends nothing and owns no webhook, and keeps its credentials and its account. */
export async function disableConnection(deps: AccountDependencies, connectionId: ConnectionId): Promise<void> {
  const { db, connections, audit, bus, now } = deps;
  await db.transaction(async () => {
    const { status, provider, role, draft } = await lockConnection(deps, connectionId);
    if (status === 'disabled') return;
    if (draft !== undefined) await connections.updateDraft(connectionId, draft.draftId, { nextCheckAt: null });
    const version = await connections.touch(connectionId, now(), { status: 'disabled' });
    await bus.publish('connection.changed', { connectionId, provider, role, status: 'disabled', version }, { orderingKey: connectionId });
    await updateAutomaticRoutes(deps);
    await audit.append({ action: 'connection.disabled', subject: connectionId, before: { status }, after: { status: 'disabled' } });
  });
}

/** What it had becomes a draft again, so that the provider is asked before anything is sent; the check is the caller's. */
export async function enableConnection(deps: AccountDependencies, connectionId: ConnectionId): Promise<void> {
  await deps.db.transaction(async () => {
    const connection = await lockConnection(deps, connectionId);
    const entry = findProvider(connection.provider);
    const account = await openLatest(deps, connection);
    if (connection.status !== 'disabled' || entry === undefined || account === undefined) return;
    await replaceDraft(deps, entry, connection, { account, fields: [] });
    await deps.audit.append({ action: 'connection.enabled', subject: connectionId, before: { status: 'disabled' }, after: { status: 'pending' } });
  });
}
