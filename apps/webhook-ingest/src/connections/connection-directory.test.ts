import { beforeEach, describe, expect, it } from '@jest/globals';
import { hubError, newId, type ConnectionId, type TenantId } from '@switchboard/contracts';
import { routingKey, type ConnectionStore, type StoredConnection } from '../store/connections.ts';
import { createConnectionDirectory, type ConnectionDirectory } from './connection-directory.ts';
import type { ConnectionSource } from './connection-source.ts';

const phone = (value: string) => ({ name: 'phoneNumberId', value });

function storedConnection(number: string, more: Partial<StoredConnection> = {}): StoredConnection {
  return { tenantId: 'acme' as TenantId, connectionId: newId('con'), provider: 'whatsapp', status: 'active', version: 1, pendingSince: null, routingKeys: [routingKey('whatsapp', phone(number))], sealedSecrets: Buffer.from('secret-1'), ...more };
}

/** The copy and tenant-service as two maps; the look-ups and reads of either are counted. */
function world() {
  const copy = new Map<ConnectionId, StoredConnection>();
  const truth = new Map<ConnectionId, StoredConnection>();
  const counts = { reads: 0, calls: 0 };
  const state = { isAway: false };
  const store: ConnectionStore = {
    findByIds: async (ids) => ids.flatMap((id) => copy.get(id) ?? []),
    findByRoutingKeys: async (keys) => {
      counts.reads++;
      return [...copy.values()].filter((row) => row.routingKeys.some((key) => keys.includes(key)));
    },
    listLastChanged: async () => [...copy.values()],
    listVersions: async () => [...copy.values()],
    put: async () => storedConnection(''),
    remove: async () => undefined,
    open: async (row) => ({ webhookSecrets: [{ value: Buffer.from(row.sealedSecrets).toString(), expiresAt: null }], verifyToken: null }),
  };
  const call = (matches: (row: StoredConnection) => boolean): StoredConnection[] => {
    counts.calls++;
    if (state.isAway) throw hubError('service.unavailable');
    const found = [...truth.values()].filter(matches);
    for (const row of found) copy.set(row.connectionId, row);
    return found;
  };
  const source: ConnectionSource = {
    lookUp: async ({ connectionIds = [], routingIdentifiers = [] }) =>
      call((row) => connectionIds.includes(row.connectionId) || routingIdentifiers.some(({ provider, ...identifier }) => row.routingKeys.includes(routingKey(provider, identifier)))),
    refresh: async (ids) => {
      const found = call((row) => ids.includes(row.connectionId));
      for (const id of ids) if (!truth.has(id)) copy.delete(id);
      return found;
    },
    sync: async () => 0,
  };
  return { copy, truth, counts, state, store, source };
}

describe('the directory of connections', () => {
  let around: ReturnType<typeof world>;
  let now: number;
  let directory: ConnectionDirectory;
  beforeEach(() => {
    around = world();
    now = 0;
    directory = createConnectionDirectory({ store: around.store, source: around.source, now: () => now });
  });
  const secretsOf = async (number: string) => {
    const { byKey } = await directory.findByIdentifiers('whatsapp', [phone(number)]);
    return (byKey.get(routingKey('whatsapp', phone(number))) ?? []).map((connection) => connection.secrets.webhookSecrets[0]?.value);
  };
  const keep = (row: StoredConnection, ...places: Map<ConnectionId, StoredConnection>[]) => {
    for (const place of places) place.set(row.connectionId, row);
    return row;
  };

  it('answers from memory, then from its own copy, and asks tenant-service only what both do not know', async () => {
    keep(storedConnection('1'), around.copy, around.truth);
    keep(storedConnection('2'), around.truth);
    expect([await secretsOf('1'), await secretsOf('1'), around.counts.reads, around.counts.calls]).toEqual([['secret-1'], ['secret-1'], 1, 0]);
    expect([await secretsOf('2'), await secretsOf('2'), around.counts.calls]).toEqual([['secret-1'], ['secret-1'], 1]);
  });

  it('asks once for what many ask at the same moment, and not again for a while when it is nobody\'s', async () => {
    await Promise.all(Array.from({ length: 50 }, (_, index) => secretsOf(`unknown-${index % 5}`)));
    expect(around.counts.calls).toBe(1);
    await secretsOf('unknown-1');
    expect(around.counts.calls).toBe(1);
    now += 10_001;
    await secretsOf('unknown-1');
    expect(around.counts.calls).toBe(2);
  });

  it('knows what was unknown as soon as something changed', async () => {
    expect(await secretsOf('1')).toEqual([]);
    const row = keep(storedConnection('1'), around.truth);
    directory.forget(row.connectionId, row.version);
    expect(await secretsOf('1')).toEqual(['secret-1']);
  });

  it('does not trust a copy that an event has overtaken', async () => {
    const row = keep(storedConnection('1'), around.copy, around.truth);
    expect(await secretsOf('1')).toEqual(['secret-1']);
    keep({ ...row, version: 2, sealedSecrets: Buffer.from('secret-2') }, around.truth);
    directory.forget(row.connectionId, 2);
    expect(await secretsOf('1')).toEqual(['secret-2']);

    around.truth.delete(row.connectionId);
    directory.forget(row.connectionId, 3);
    expect(await secretsOf('1')).toEqual([]);
  });

  it('makes do with an overtaken copy while tenant-service is away, without asking for every webhook', async () => {
    const row = keep(storedConnection('1'), around.copy, around.truth);
    around.state.isAway = true;
    directory.forget(row.connectionId, 2);
    expect([await secretsOf('1'), await secretsOf('1'), around.counts.calls]).toEqual([['secret-1'], ['secret-1'], 1]);
    keep({ ...row, version: 2, sealedSecrets: Buffer.from('secret-2') }, around.truth);
    around.state.isAway = false;
    now += 5_001;
    expect(await secretsOf('1')).toEqual(['secret-2']);
  });

  it('says that it could not ask, as opposed to that nobody has it', async () => {
    keep(storedConnection('1'), around.copy);
    around.state.isAway = true;
    const { byKey, failure } = await directory.findByIdentifiers('whatsapp', [phone('1'), phone('2')]);
    expect([byKey.size, failure]).toMatchObject([1, { code: 'service.unavailable' }]);
  });

  it('reads its copy again after a minute, should an event have been lost', async () => {
    const row = keep(storedConnection('1'), around.copy, around.truth);
    await secretsOf('1');
    keep({ ...row, version: 2, sealedSecrets: Buffer.from('secret-2') }, around.copy);
    expect(await secretsOf('1')).toEqual(['secret-1']);
    now += 60_001;
    expect(await secretsOf('1')).toEqual(['secret-2']);
  });
});
