import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startOidcProvider, type OidcProvider } from '../../apps/auth-service/src/testing/start-oidc-provider.ts';
import { callAs } from './src/call-as.ts';
import { furnishTenant } from './src/furnish-tenant.ts';
import { HubProcess } from './src/hub-process.ts';

/** Who is let in at the gateway of a running hub because somebody else vouches for them. */
describe('the gateway of a running hub', () => {
  const home = mkdtempSync(join(tmpdir(), 'switchboard-trust-'));
  let hub: HubProcess;
  let provider: OidcProvider;

  beforeAll(async () => {
    hub = await HubProcess.create('start', home);
    await hub.start();
    await furnishTenant(hub, 'acme');
    await furnishTenant(hub, 'globex');
    provider = await startOidcProvider([{ client_id: 'hub', client_secret: 'the secret of a client', redirect_uris: ['acme', 'globex'].map((tenantId) => `${hub.url('API_GATEWAY')}/auth/sso/callback/${tenantId}`) }]);
  }, 240_000);
  afterAll(async () => {
    provider?.stop();
    await hub?.stop();
    rmSync(home, { recursive: true, force: true });
  }, 60_000);

  const at = (method: string, path: string, headers: Readonly<Record<string, string>> = {}, body?: unknown) => callAs(method, `${hub.url('API_GATEWAY')}${path}`, headers, body);
  const admin = () => ({ authorization: `Bearer ${hub.adminKey}` });
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

  it('leads a browser to the identity provider of its tenant and back to a session of that tenant', async () => {
    const settings = { issuer: provider.issuer, clientId: 'hub', clientSecret: 'the secret of a client', allowedDomains: ['acme.example'], returnUrl: 'https://desk.acme.example/' };
    for (const tenantId of ['acme', 'globex']) expect((await at('PUT', `/tenants/${tenantId}/sso`, admin(), settings)).status).toBe(200);
    const begun = await at('GET', '/auth/sso/start?tenantId=acme');
    expect(begun.status).toBe(302);
    const cookie = String(begun.headers['set-cookie']).split(';')[0] ?? '';
    const back = await provider.visit(String(begun.headers['location']), { email: 'rose@acme.example' });
    expect((await at('GET', `/auth/sso/callback/globex${back.search}`, { cookie })).status).toBe(400);
    const done = await at('GET', `${back.pathname}${back.search}`, { cookie });
    expect(done.status).toBe(302);
    const code = new URL(String(done.headers['location'])).searchParams.get('code');
    const session = await at('POST', '/auth/sso/exchange', {}, { code });
    expect(session.status).toBe(200);
    expect((await at('GET', '/auth/me', bearer(String(session.json['accessToken'])))).json).toMatchObject({ email: 'rose@acme.example', role: 'agent', tenantId: 'acme' });
  });

  it('takes the tokens of an issuer that the tenant trusts, and within two seconds none once it does no more', async () => {
    const secret = 'a secret of thirty-two bytes, at least';
    const sign = (claims: object) => {
      const text = [{ alg: 'HS256' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const made = await at('POST', '/tenants/acme/issuers', admin(), { kind: 'hs256', issuer: 'https://crm.acme.example', audience: 'hub', secret, maxRole: 'admin' });
    const claims = { iss: 'https://crm.acme.example', aud: 'hub', sub: 'crm', exp: Math.floor(Date.now() / 1000) + 600, role: 'admin' };
    const token = sign({ ...claims, tenant_id: 'acme' });
    const ask = async (text: string) => (await at('GET', '/tenant', bearer(text))).status;
    expect(await ask(token)).toBe(200);
    expect(await ask(sign({ ...claims, tenant_id: 'globex' }))).toBe(401);
    expect((await at('DELETE', `/tenants/acme/issuers/${String(made.json['issuerId'])}`, admin())).status).toBe(204);
    const distrustedAtMs = Date.now();
    while ((await ask(token)) !== 401) expect(Date.now() - distrustedAtMs).toBeLessThan(2_000);
  });
});
