import { beforeEach, describe, expect, it } from '@jest/globals';
import { getProviderToken, hubError, newId, tenantIdSchema, type ConnectionWithSecrets, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { createConnections, type Connections } from './create-connections.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const connectionId = newId('con');

let nowMs: number;
/** Whom the other services were asked as, and for what. */
let asked: string[];
let tokenLifeMs: number;
let connections: Connections;
/** What was told of tokens that were fetched. */
let told: string[];

beforeEach(() => {
  nowMs = Date.parse('2026-11-21T12:00:00Z');
  asked = [];
  told = [];
  tokenLifeMs = 3_600_000;
  connections = createConnections({ callRoute: answer as CallRoute, now: () => new Date(nowMs), onToken: (id, expiresAt) => told.push(`${currentTenant()} ${id} ${expiresAt}`) }); // it answers the two routes that are asked
});

/** acme owns the connection; tenant-service and auth-service answer by the tenant of the call. */
async function answer(service: string, contract: object): Promise<unknown> {
  asked.push(`${currentTenant()} ${service}`);
  if (currentTenant() !== acme) throw hubError('connection.not_found');
  if (contract === getProviderToken) return { accessToken: `token-${asked.length}`, fingerprint: `print-${asked.length}`, expiresAt: new Date(nowMs + tokenLifeMs).toISOString() };
  const connection: ConnectionWithSecrets = { tenantId: acme, connectionId, provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: { clientSecret: 'of-acme' } };
  return connection;
}

const load = (tenantId: TenantId) => runAsTenant(tenantId, () => connections.load(connectionId));
const loadToken = (tenantId: TenantId, refused?: { fingerprint: string }) => runAsTenant(tenantId, () => connections.loadToken(connectionId, refused));

describe('connections', () => {
  it('are asked for once a minute', async () => {
    for (let i = 0; i < 3; i++) await load(acme);
    expect(asked).toEqual(['acme tenant-service']);
    nowMs += 60_001;
    await load(acme);
    expect(asked).toHaveLength(2);
  });

  it('that were loaded for one tenant do not exist for another', async () => {
    await load(acme);
    await loadToken(acme);
    await expect(load(globex)).rejects.toMatchObject({ code: 'connection.not_found' });
    await expect(loadToken(globex)).rejects.toMatchObject({ code: 'connection.not_found' });
    const [own, foreign] = await Promise.allSettled([load(acme), load(globex)]);
    expect([own.status, foreign.status]).toEqual(['fulfilled', 'rejected']);
  });

  it('stay in memory when another tenant drops what is not its own', async () => {
    await load(acme);
    await runAsTenant(globex, async () => connections.drop(connectionId));
    await load(acme);
    expect(asked).toHaveLength(1);
  });

  it('are asked for again after they changed, and so is their token', async () => {
    await load(acme);
    const { accessToken } = await loadToken(acme);
    await runAsTenant(acme, async () => connections.drop(connectionId));
    await load(acme);
    expect((await loadToken(acme)).accessToken).not.toBe(accessToken);
    expect(asked).toHaveLength(4);
  });
});

describe('a token', () => {
  it('is replaced when the provider refused it, once for all who were refused with it', async () => {
    const first = await loadToken(acme);
    const second = await loadToken(acme, first);
    expect(second.accessToken).not.toBe(first.accessToken);
    expect(await loadToken(acme, first)).toEqual(second);
    expect(await loadToken(acme)).toEqual(second);
  });

  it('is not kept into its last seconds', async () => {
    tokenLifeMs = 20_000;
    const first = await loadToken(acme);
    nowMs += 14_000;
    expect(await loadToken(acme)).toEqual(first);
    nowMs += 2_000;
    expect(await loadToken(acme)).not.toEqual(first);
  });
});

describe('a token that was fetched', () => {
  it('tells once when it ends, as its own tenant', async () => {
    for (let i = 0; i < 3; i++) await loadToken(acme);
    expect(told).toEqual([`acme ${connectionId} 2026-11-21T13:00:00.000Z`]);
  });
});
