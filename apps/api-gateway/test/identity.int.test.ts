import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { generateApiKey, newId, problemSchema, scopesOfRole, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { testSecrets } from '@switchboard/service-kit/testing';
import { testRedis, testTenants } from '@switchboard/testing';
import { startNeighbours, type Neighbours } from './neighbours.ts';
import { tokenText } from './token-text.ts';

const [acme, globex] = testTenants;

let hub: Neighbours;
beforeAll(async () => {
  // The tests are the proxy in front.
  hub = await startNeighbours({ BASE_DOMAIN: 'example.com', TRUSTED_PROXIES: '127.0.0.0/8, ::1' });
  for (const tenantId of testTenants) hub.setTenant(tenantId, { subdomain: tenantId, rateLimit: 100_000 });
});
afterAll(() => hub.stop());

type Headers = Readonly<Record<string, string>>;
const get = (headers: Headers) => fetch(`${hub.url}/state/stats`, { headers });
const at = (tenantId: string): Headers => ({ 'x-forwarded-host': `${tenantId}.example.com` });
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

function memberOf(tenantId: TenantId, endsInMs = 900_000) {
  const subject = newId('mbr');
  return { tenantId, subject, token: hub.addToken({ kind: 'member', tenantId, subject, role: 'agent', scopes: [...scopesOfRole('agent')], expiresAt: new Date(Date.now() + endsInMs).toISOString() }) };
}

async function answerTo(headers: Headers) {
  const response = await get(headers);
  const { requestId: _, ...problem } = problemSchema.parse(await response.json());
  return { status: response.status, authenticate: response.headers.get('www-authenticate'), problem };
}

describe('who calls', () => {
  it('is told to the service alike for a key and a member, at the host of the tenant or at none', async () => {
    for (const tenantId of testTenants) {
      const key = { 'x-api-key': hub.addKey({ tenantId, scopes: ['state:read'] }) };
      const { subject, token } = memberOf(tenantId);
      for (const host of [{}, at(tenantId)]) {
        expect(await (await get({ ...key, ...host })).json()).toMatchObject({ tenant: tenantId, scopes: ['state:read'] });
        expect(await (await get({ ...bearer(token), ...host })).json()).toMatchObject({ tenant: tenantId, subject });
      }
    }
  });

  it('is nobody with one and the same answer for whatever is not valid', async () => {
    const revoked = hub.addKey({ tenantId: acme });
    await hub.revoke(revoked);
    const disabled = memberOf(acme);
    await hub.disable(disabled);
    const valid = { key: hub.addKey({ tenantId: acme }), token: memberOf(acme).token };
    const answers = await Promise.all(
      [
        {},
        at('acme'),
        { 'x-api-key': 'sk_garbage' },
        { 'x-api-key': generateApiKey(newId('key')) },
        { 'x-api-key': revoked },
        { 'x-api-key': hub.addKey({ tenantId: acme, expiresAt: '2020-01-01T00:00:00.000Z' }) },
        { 'x-api-key': hub.addKey({ tenantId: acme, cidrs: ['198.51.100.0/24'] }) },
        { 'x-api-key': valid.token },
        bearer(valid.key),
        bearer(disabled.token),
        bearer(hub.addToken(undefined)),
        bearer(tokenText({ exp: 1_700_000_000 })),
        bearer('garbage'),
        bearer(`${testSecrets.adminKey}x`),
        { authorization: 'Basic dXNlcjpwYXNz' },
        { 'x-api-key': valid.key, ...bearer('garbage') },
        { 'x-api-key': 'garbage-garbage-garbage', ...bearer(valid.token) },
      ].map(answerTo),
    );
    expect(answers[0]).toMatchObject({ status: 401, problem: { code: 'auth.missing' } });
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('is refused alike at the host of another tenant and at that of nobody', async () => {
    const key = { 'x-api-key': hub.addKey({ tenantId: acme }) };
    const [other, nobody, token] = await Promise.all([answerTo({ ...key, ...at('globex') }), answerTo({ ...key, ...at('initech') }), answerTo({ ...key, ...bearer(memberOf(globex).token) })]);
    expect(other).toMatchObject({ status: 403, problem: { code: 'tenant.mismatch' } });
    expect([nobody, token]).toEqual([other, other]);
  });

  it('comes from the address that our proxy names, for keys of some networks', async () => {
    const key = { 'x-api-key': hub.addKey({ tenantId: acme, cidrs: ['198.51.100.0/24', '2001:db8::/32'] }) };
    const from = async (chain: string) => (await get({ ...key, 'x-forwarded-for': chain })).status;
    expect([await from('198.51.100.7'), await from('203.0.113.1, 2001:db8::7'), await from('198.51.100.7, 203.0.113.1')]).toEqual([200, 200, 401]);
  });
});

describe('API calls', () => {
  it('are counted for their tenant when they were let in, and handed on at the end at the latest', async () => {
    const fresh = await startNeighbours();
    const call = (headers: Headers) => fetch(`${fresh.url}/state/stats`, { headers });
    for (const tenantId of testTenants) fresh.setTenant(tenantId, { rateLimit: 3 });
    const keys = [fresh.addKey({ tenantId: acme }), fresh.addKey({ tenantId: globex })] as const;
    for (let i = 0; i < 5; i++) await call({ 'x-api-key': keys[0] });
    await call({ 'x-api-key': keys[1] });
    await call({ 'x-api-key': generateApiKey(newId('key')) });
    await fresh.stop();
    expect([fresh.apiCallsOf(acme), fresh.apiCallsOf(globex)]).toEqual([3, 1]);
  });
});

describe('a key with a limit of its own', () => {
  it('is refused above it, and leaves the rest to the other keys of its tenant', async () => {
    const tenantId = tenantIdSchema.parse('umbrella');
    hub.setTenant(tenantId, { rateLimit: 10 });
    const [small, other] = [hub.addKey({ tenantId, rateLimit: 2 }), hub.addKey({ tenantId })];
    const statuses = [];
    for (let i = 0; i < 3; i++) statuses.push((await get({ 'x-api-key': small })).status);
    const last = await get({ 'x-api-key': small });
    expect([...statuses, last.headers.get('ratelimit-policy'), last.headers.get('ratelimit')?.replace(/reset=\d+/, 'reset=n')]).toEqual([200, 200, 429, '2;w=60', 'limit=2, remaining=0, reset=n']);
    const more = [];
    for (let i = 0; i < 9; i++) more.push((await get({ 'x-api-key': other })).status);
    expect(more).toEqual([...Array.from({ length: 8 }, () => 200), 429]);
    expect((await get({ 'x-api-key': hub.addKey({ tenantId: globex }) })).status).toBe(200);
  });
});

const redis = testRedis();
(redis === undefined ? describe.skip : describe)('three gateways at one Redis', () => {
  it('let in together what the limit says, and none of it twice', async () => {
    const fresh = await startNeighbours({ REDIS_URL: redis!.url }, 3);
    try {
      const tenantId = tenantIdSchema.parse(newId('req'));
      fresh.setTenant(tenantId, { rateLimit: 30 });
      const key = { 'x-api-key': fresh.addKey({ tenantId }) };
      const other = { 'x-api-key': fresh.addKey({ tenantId: globex }) };
      // Until they are connected they count for themselves.
      await new Promise((resolve) => setTimeout(resolve, 500));
      const all = await Promise.all(Array.from({ length: 60 }, async (_, i) => (await fetch(`${fresh.gatewayUrls[i % 3]}/state/stats`, { headers: key })).status));
      const accepted = all.filter((status) => status === 200).length;
      // A slow machine may need longer for all of them than the next one takes to come free, two seconds.
      expect(accepted).toBeGreaterThanOrEqual(30);
      expect(accepted).toBeLessThanOrEqual(33);
      expect(new Set(all)).toEqual(new Set([200, 429]));
      expect((await fetch(`${fresh.url}/state/stats`, { headers: other })).status).toBe(200);
    } finally {
      await fresh.stop();
    }
  });
});
