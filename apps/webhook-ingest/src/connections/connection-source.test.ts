import { describe, expect, it } from '@jest/globals';
import { findWebhookConnections, listWebhookConnections, newId, type ConnectionId, type WebhookConnection } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { testTenants } from '@switchboard/testing';
import { whatsAppConnection } from '../../test/start-ingest.ts';
import type { ConnectionStore, StoredConnection } from '../store/connections.ts';
import { createConnectionSource } from './connection-source.ts';

const [acme, globex] = testTenants;
const connection = (more: Partial<WebhookConnection> = {}) => whatsAppConnection(acme, { appSecret: 'secret', phoneNumberId: newId('con'), ...more });

/** A copy in memory, and a tenant-service that lists two connections a page; `meanwhile` happens before each page. */
function world(listed: readonly WebhookConnection[], meanwhile: (copy: Map<ConnectionId, StoredConnection>) => void = () => undefined) {
  const copy = new Map<ConnectionId, StoredConnection>();
  const put = async ({ tenantId, connectionId, provider, status, version }: WebhookConnection) => {
    const stored = { tenantId, connectionId, provider, status, version, pendingSince: null, routingKeys: [], sealedSecrets: Buffer.alloc(0) };
    copy.set(connectionId, stored);
    return stored;
  };
  // Only what a source uses; the rest would throw.
  const store = { listVersions: async () => [...copy.values()], put, remove: async (ids: readonly ConnectionId[]) => ids.forEach((id) => copy.delete(id)) } as Partial<ConnectionStore> as ConnectionStore;
  const callRoute = (async (_service, contract, input) => {
    if (contract.path === findWebhookConnections.path) return { connections: listed };
    expect(contract.path).toBe(listWebhookConnections.path);
    meanwhile(copy);
    const from = Number((input.query as { cursor?: string }).cursor ?? 0);
    return { data: listed.slice(from, from + 2), nextCursor: from + 2 < listed.length ? String(from + 2) : null };
  }) as CallRoute; // answers what the two contracts promise
  return { copy, put, source: createConnectionSource({ store, callRoute }) };
}

describe('syncing the copy of the connections', () => {
  it('brings over what is new or changed on every page, and removes what is gone, of every tenant', async () => {
    const [kept, changed, ...fresh] = [connection(), connection({ version: 2 }), connection({ tenantId: globex }), connection(), connection()];
    const { copy, put, source } = world([kept!, changed!, ...fresh]);
    const gone = [connection(), connection({ tenantId: globex })];
    for (const known of [kept!, { ...changed!, version: 1 }, ...gone]) await put(known);
    // One changed, three new, two gone; the one that stayed as it was is not touched.
    expect(await source.sync()).toBe(6);
    expect([...copy.values()].map(({ connectionId, version }) => [connectionId, version]).toSorted()).toEqual([kept!, changed!, ...fresh].map(({ connectionId, version }) => [connectionId, version]).toSorted());
    expect(await source.sync()).toBe(0);
  });

  it('does not mistake for removed what is connected while the list is read', async () => {
    const meanwhile = connection();
    const { copy, put, source } = world([connection()], () => void put(meanwhile));
    await source.sync();
    expect([...copy.keys()]).toContain(meanwhile.connectionId);
  });
});

describe('refreshing a connection', () => {
  it('removes it from the copy when tenant-service knows it no more', async () => {
    const [left, gone] = [connection(), connection()];
    const { copy, put, source } = world([left]);
    for (const known of [left, gone]) await put(known);
    expect((await source.refresh([left.connectionId, gone.connectionId])).map(({ connectionId }) => connectionId)).toEqual([left.connectionId]);
    expect([...copy.keys()]).toEqual([left.connectionId]);
  });
});
