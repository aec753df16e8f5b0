import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { newId, scopesOfRole, tenantIdSchema, type TokenHolder } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { startNeighbours, type Neighbours } from './neighbours.ts';

// The promise is one of seconds: a machine that stands still for as long keeps its services from answering (504), and says nothing of it.
jest.retryTimes(1);

/** Three gateways, each with its own look-ups and its own way to the bus. */
let hub: Neighbours;
beforeAll(async () => {
  hub = await startNeighbours({}, 3);
});
afterAll(() => hub.stop());

type Headers = Readonly<Record<string, string>>;

/** What each gateway answers. */
const statuses = async (headers: Headers) => await Promise.all(hub.gatewayUrls.map(async (url) => (await fetch(`${url}/state/stats`, { headers })).status));

/** Milliseconds until every gateway answers `status`. Throws when they do not in time. */
async function untilAll(headers: Headers, status: number, withinMs: number): Promise<number> {
  const startedMs = performance.now();
  for (;;) {
    const seen = await statuses(headers);
    const tookMs = performance.now() - startedMs;
    if (seen.every((one) => one === status)) return tookMs;
    if (tookMs > withinMs) throw new Error(`after ${Math.round(tookMs)} ms the gateways still answer ${seen.join()} and not ${status}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A tenant of this test, with a key and a member, known to every gateway. */
async function tenant(name: string) {
  const tenantId = tenantIdSchema.parse(name);
  const key = hub.addKey({ tenantId });
  hub.setTenant(tenantId, { rateLimit: 100_000 });
  const subject = newId('mbr');
  const holder: TokenHolder = { kind: 'member', tenantId, subject, role: 'agent', scopes: [...scopesOfRole('agent')], expiresAt: new Date(Date.now() + 900_000).toISOString() };
  const token = hub.addToken(holder);
  const credentials = { key: { 'x-api-key': key }, token: { authorization: `Bearer ${token}` } };
  for (const headers of Object.values(credentials)) expect(await statuses(headers)).toEqual([200, 200, 200]);
  return { tenantId, apiKey: key, subject, ...credentials };
}

describe('every gateway refuses in less than two seconds', () => {
  it('a key that was revoked', async () => {
    const [acme, globex] = [await tenant('acme-1'), await tenant('globex-1')];
    await hub.revoke(acme.apiKey);
    expect(await untilAll(acme.key, 401, 2_000)).toBeLessThan(2_000);
    expect([await statuses(acme.token), await statuses(globex.key)]).toEqual([[200, 200, 200], [200, 200, 200]]);
  });

  it('a member who was disabled', async () => {
    const [acme, globex] = [await tenant('acme-2'), await tenant('globex-2')];
    await hub.disable(acme);
    expect(await untilAll(acme.token, 401, 2_000)).toBeLessThan(2_000);
    expect([await statuses(acme.key), await statuses(globex.token)]).toEqual([[200, 200, 200], [200, 200, 200]]);
  });

  it('a tenant that was suspended, and serves it again when it is active', async () => {
    const [acme, globex] = [await tenant('acme-3'), await tenant('globex-3')];
    await hub.change(acme.tenantId, { status: 'suspended' });
    expect(await untilAll(acme.key, 403, 2_000)).toBeLessThan(2_000);
    expect(await untilAll(acme.token, 403, 2_000)).toBeLessThan(2_000);
    expect(await statuses(globex.key)).toEqual([200, 200, 200]);
    await hub.change(acme.tenantId, { status: 'active' });
    expect(await untilAll(acme.key, 200, 2_000)).toBeLessThan(2_000);
  });

  it('requests above a limit that was lowered', async () => {
    const [acme, globex] = [await tenant('acme-4'), await tenant('globex-4')];
    await hub.change(acme.tenantId, { rateLimit: 1 });
    expect(await untilAll(acme.key, 429, 2_000)).toBeLessThan(2_000);
    expect(await statuses(globex.key)).toEqual([200, 200, 200]);
  });
});

describe('without the event', () => {
  it('every gateway refuses what was revoked in ten seconds at the worst', async () => {
    const [acme, globex] = [await tenant(testTenants[0]), await tenant(testTenants[1])];
    const other = await tenant('initech');
    await hub.revoke(acme.apiKey, 'silently');
    await hub.disable(acme, 'silently');
    await hub.change(globex.tenantId, { status: 'suspended' }, 'silently');
    const [key, token, suspended] = await Promise.all([untilAll(acme.key, 401, 11_000), untilAll(acme.token, 401, 11_000), untilAll(globex.key, 403, 11_000)]);
    expect(Math.max(key, token, suspended)).toBeLessThan(10_500);
    expect(await statuses(other.key)).toEqual([200, 200, 200]);
  });
});
