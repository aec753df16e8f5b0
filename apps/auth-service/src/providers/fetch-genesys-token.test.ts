import { describe, expect, it } from '@jest/globals';
import { isHubError, newId, tenantIdSchema, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { Egress, EgressReply, EgressRequest } from '@switchboard/service-kit';
import { fetchGenesysToken } from './fetch-genesys-token.ts';

const connection: ConnectionWithSecrets = {
  tenantId: tenantIdSchema.parse('acme'), connectionId: newId('con'), provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {},
  settings: { clientId: 'client-1', region: 'mypurecloud.de' }, credentials: { clientSecret: 'sécret:1' },
};

async function fetchWith(answer: Partial<EgressReply>, of: ConnectionWithSecrets = connection) {
  const requests: EgressRequest[] = [];
  const egress: Egress = {
    async request(request) {
      requests.push(request);
      return { status: 200, headers: {}, body: Buffer.alloc(0), ...answer };
    },
    async assertAllowed() {},
    isPlatformHost: () => false,
  };
  const outcome: unknown = await fetchGenesysToken(of, egress).catch((error: unknown) => error);
  return { outcome, requests };
}

const json = (body: object) => Buffer.from(JSON.stringify(body));

describe('fetching a Genesys token', () => {
  it('logs in at the region with the client\'s id and secret, and keeps the lifetime that Genesys says', async () => {
    const { outcome, requests } = await fetchWith({ body: json({ access_token: 'Xk3', token_type: 'bearer', expires_in: 300 }) });
    expect(outcome).toEqual({ accessToken: 'Xk3', lifetimeSeconds: 300 });
    expect(requests).toEqual([
      {
        method: 'POST',
        url: 'https://login.mypurecloud.de/oauth/token',
        headers: { authorization: `Basic ${Buffer.from('client-1:sécret:1').toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
        body: 'grant_type=client_credentials',
      },
    ]);
  });

  it('logs in at the connection\'s own address, where it has one', async () => {
    const { requests } = await fetchWith({}, { ...connection, settings: { ...connection.settings, loginBaseUrl: 'http://127.0.0.1:1/genesys' } });
    expect(requests[0]?.url).toBe('http://127.0.0.1:1/genesys/oauth/token');
  });

  it.each([
    ['429 that says how long', { status: 429, headers: { 'retry-after': '7' } }, 'provider.throttled', { afterMs: 7_000 }],
    ['429 that does not say how long', { status: 429 }, 'provider.throttled', { afterMs: 30_000 }],
    ['429 that says nonsense', { status: 429, headers: { 'retry-after': 'soon' } }, 'provider.throttled', { afterMs: 30_000 }],
    ['400 invalid_client', { status: 400, body: json({ error: 'invalid_client', description: 'client not found' }) }, 'provider.unauthorized', 'never'],
    ['401', { status: 401 }, 'provider.unauthorized', 'never'],
    ['503 with a page', { status: 503, body: Buffer.from('<html>') }, 'provider.unavailable', 'later'],
    ['200 without a token', { status: 200, body: json({ token_type: 'bearer' }) }, 'provider.unavailable', 'later'],
    ['200 that is no JSON', { status: 200, body: Buffer.from('<html>') }, 'provider.unavailable', 'later'],
    ['200 whose token lives no time', { status: 200, body: json({ access_token: 'Xk3', expires_in: 0 }) }, 'provider.unavailable', 'later'],
  ] as const)('knows the fate after %s', async (_, answer, code, retry) => {
    const { outcome } = await fetchWith(answer);
    expect(outcome).toMatchObject({ code, retry });
  });

  it('names Genesys\' own error to the tenant, and no secret', async () => {
    const { outcome } = await fetchWith({ status: 401, body: json({ error: 'invalid_client' }) });
    expect(outcome).toMatchObject({ publicMessage: expect.stringContaining('invalid_client') });
    expect(JSON.stringify(isHubError(outcome) ? [outcome.message, outcome.publicMessage, outcome.detail] : [])).not.toContain('cret:1');
  });
});
