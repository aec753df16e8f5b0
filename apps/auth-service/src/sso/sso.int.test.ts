import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { planLimits, type MemberRole, type TenantId } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import type { Dependencies } from '../dependencies.ts';
import { memberPrincipal, platform, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';
import { sweep } from '../people/sweep.ts';
import { waitingMax } from '../store/sso.ts';
import { startOidcProvider, type OidcProvider } from '../testing/start-oidc-provider.ts';

const [acme, globex] = testTenants;
const publicUrl = 'https://api.hub.test';
const returnUrl = 'https://desk.example.com/welcome?theme=dark';
const callbackOf = (tenantId: TenantId) => `${publicUrl}/auth/sso/callback/${tenantId}`;
const clientOf = (tenantId: TenantId) => ({ client_id: `hub for ${tenantId}`, client_secret: `the client secret of ${tenantId}`, redirect_uris: [callbackOf(tenantId)] });

let world: AuthWorld;
let here: Dependencies;
/** Another process of the service. */
let there: Dependencies;
/** Both tenants have it, each as a client of its own. */
let provider: OidcProvider;
let made = 0;

beforeAll(async () => {
  world = await startAuthWorld();
  here = world.process();
  there = world.process();
  provider = await startOidcProvider(testTenants.map(clientOf));
  for (const tenantId of testTenants) world.plans.set(tenantId, 'enterprise');
}, 60_000);
afterAll(async () => {
  provider?.stop();
  await world?.close();
});
beforeEach(async () => {
  // Certificates and tokens of the provider are of today.
  world.wait(Date.now() - world.now().getTime());
  for (const tenantId of testTenants) await setUp(tenantId);
});

const settingsOf = (tenantId: TenantId) => ({
  issuer: provider.issuer,
  clientId: clientOf(tenantId).client_id,
  clientSecret: clientOf(tenantId).client_secret,
  allowedDomains: ['example.com'],
  defaultRole: 'agent' as const,
  createMembers: true,
  returnUrl,
});
const setUp = (tenantId: TenantId, more: object = {}, by: Principal = platform) => runAsTenant(tenantId, () => here.ssoSettings.put(by, { ...settingsOf(tenantId), ...more }));
const newEmail = () => `sid.${++made}@example.com`;
const fate = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: { code?: string }) => error.code);
const from = <T>(fn: () => Promise<T>) => world.from('192.0.2.1', fn);

type Browser = { readonly location: string; readonly cookies: Map<string, string> };

async function start(tenantId: TenantId, deps = here): Promise<Browser> {
  const { location, cookie } = await from(() => deps.ssoLogins.start(tenantId));
  return { location, cookies: new Map([[cookie.name, cookie.value]]) };
}

/** Comes back to a tenant's door. */
const comeBack = (tenantId: TenantId, { cookies }: Pick<Browser, 'cookies'>, url: URL, deps = there) =>
  from(() => deps.ssoLogins.finish(tenantId, { ...Object.fromEntries(url.searchParams), state: url.searchParams.get('state') ?? '' }, (name) => cookies.get(name)));

/** The whole way of a browser: the page it ends up at. */
async function logIn(tenantId: TenantId, account?: { readonly email: string; readonly isVerified?: boolean }): Promise<URL> {
  const browser = await start(tenantId);
  const back = await provider.visit(browser.location, account);
  expect(`${back.origin}${back.pathname}`).toBe(callbackOf(tenantId));
  return new URL((await comeBack(tenantId, browser, back)).location);
}

const codeOf = (page: URL) => page.searchParams.get('code') ?? '';
const errorOf = (page: URL) => page.searchParams.get('error');
const member = (tenantId: TenantId, email: string) => runAsTenant(tenantId, () => here.people.findByEmail(email));
const lastReason = () => world.published.findLast(({ payload }) => (payload as { action?: string }).action === 'sso.refused')?.payload as { facts: { reason: string } } | undefined;

describe('a single sign-on', () => {
  it('leads to the provider and back to the tenant\'s page, where a one-time code gives the session of a member of that tenant', async () => {
    const email = newEmail();
    const page = await logIn(acme, { email });
    expect(page.href).toMatch(/^https:\/\/desk\.example\.com\/welcome\?theme=dark&code=swo\./);
    const reply = await from(() => there.ssoLogins.exchange(codeOf(page)));
    if ('challenge' in reply) throw new Error('there is no second factor');
    expect(await here.verifyBearer(reply.accessToken)).toMatchObject({ tenantId: acme, role: 'agent' });
    expect(await member(acme, email)).toMatchObject({ status: 'active', role: 'agent', name: 'Pat of the provider', passwordHash: null });
    expect(await member(globex, email)).toBeUndefined();
    expect(await fate(from(() => here.ssoLogins.exchange(codeOf(page))))).toBe('auth.link_invalid');
    // The next time it is the same member.
    const again = await from(async () => here.ssoLogins.exchange(codeOf(await logIn(acme, { email: email.toUpperCase() }))));
    expect(again).toMatchObject({ member: { email } });
  });

  it('has put no token into an address, and the provider knows nothing that opens the hub', async () => {
    const { location, cookies } = await start(acme);
    const asked = new URL(location).searchParams;
    expect(Object.fromEntries(asked)).toMatchObject({ response_type: 'code', code_challenge_method: 'S256', redirect_uri: callbackOf(acme), client_id: clientOf(acme).client_id });
    for (const value of cookies.values()) expect(location).not.toContain(value);
    const page = await logIn(acme, { email: newEmail() });
    expect(page.href).not.toMatch(/eyJ/);
    world.wait(60_000);
    expect(await fate(from(() => here.ssoLogins.exchange(codeOf(page))))).toBe('auth.link_invalid');
  });

  it('is finished once, by the browser that began it, within ten minutes', async () => {
    const browser = await start(acme);
    const back = await provider.visit(browser.location, { email: newEmail() });
    expect(await fate(comeBack(acme, { cookies: new Map() }, back))).toBe('auth.link_invalid');
    const [name = ''] = browser.cookies.keys();
    expect(await fate(comeBack(acme, { cookies: new Map([[name, 'another browser']]) }, back))).toBe('auth.link_invalid');
    const fates = await Promise.all([here, there, here].map((deps) => fate(comeBack(acme, browser, back, deps))));
    expect(fates.toSorted()).toEqual(['auth.link_invalid', 'auth.link_invalid', 'done']);
    const slow = await start(acme);
    const late = await provider.visit(slow.location, { email: newEmail() });
    world.wait(10 * 60_000);
    expect(await fate(comeBack(acme, slow, late))).toBe('auth.link_invalid');
  });

  it('leaves no more behind than a bounded number of those that nobody finished, and after a while none', async () => {
    const query = (sql: string) => runAsTenant(acme, () => world.db.transaction(() => world.db.sql.query<{ count: number }>(sql)));
    await query(`insert into sso_logins select '${acme}', 'sso_0' || i, 'x', 'x', 'x', now(), now() from generate_series(1, ${waitingMax}) i`);
    const ours = await start(acme);
    expect(await query('select count(*)::int as count from sso_logins')).toEqual([{ count: waitingMax }]);
    expect(await fate(comeBack(acme, ours, await provider.visit(ours.location, { email: newEmail() })))).toBe('done');
    await start(acme);
    world.wait(10 * 60_000 + 1);
    await sweep(here);
    expect(await query('select count(*)::int as count from sso_logins')).toEqual([{ count: 0 }]);
  });

  it('asks for the second factor of whoever has one', async () => {
    const { memberId, member: me } = await world.join(here, acme, 'agent', newEmail());
    const person = (await runAsTenant(acme, () => here.people.find(memberId)))!;
    const asking = world.process({ secondFactor: { challenge: async () => ({ token: 'swo.x', methods: ['totp'], expiresAt: world.now().toISOString() }) } });
    const page = await logIn(acme, { email: me.email });
    expect(person.status).toBe('active');
    expect(await from(() => asking.ssoLogins.exchange(codeOf(page)))).toMatchObject({ challenge: { methods: ['totp'] } });
  });
});

describe('two tenants with one provider', () => {
  it('do not take each other\'s log-ins: neither the state nor the code of one opens the other', async () => {
    const ofAcme = await start(acme);
    const ofGlobex = await start(globex);
    const cookies = new Map([...ofAcme.cookies, ...ofGlobex.cookies]);
    const email = newEmail();
    const backToAcme = await provider.visit(ofAcme.location, { email });
    const backToGlobex = await provider.visit(ofGlobex.location, { email });
    expect(await fate(comeBack(globex, { cookies }, backToAcme))).toBe('auth.link_invalid');
    // A state that says it is globex's is still not one of globex.
    const renamed = new URL(backToAcme);
    renamed.searchParams.set('state', (backToAcme.searchParams.get('state') ?? '').replace(acme, globex));
    expect(await fate(comeBack(globex, { cookies }, renamed))).toBe('auth.link_invalid');
    // The code that was made for acme, beside globex's own state.
    const mixed = new URL(backToGlobex);
    mixed.searchParams.set('code', backToAcme.searchParams.get('code') ?? '');
    expect(errorOf(new URL((await comeBack(globex, { cookies }, mixed)).location))).toBe('auth.sso_failed');
    expect(await member(globex, email)).toBeUndefined();
    expect(codeOf(new URL((await comeBack(acme, { cookies }, backToAcme)).location))).toMatch(/^swo\./);
  });

  it('have a member each by the same address, and none is let in by a provider that names another issuer', async () => {
    const email = newEmail();
    for (const tenantId of testTenants) expect(codeOf(await logIn(tenantId, { email }))).toMatch(new RegExp(`^swo\\.${tenantId}\\.`));
    expect((await member(acme, email))?.memberId).not.toBe((await member(globex, email))?.memberId);
    const browser = await start(acme);
    const back = await provider.visit(browser.location, { email });
    expect(back.searchParams.get('iss')).toBe(provider.issuer);
    back.searchParams.set('iss', 'https://honest.example.com');
    expect(errorOf(new URL((await comeBack(acme, browser, back)).location))).toBe('auth.sso_failed');
  });
});

describe('whom the provider names', () => {
  it('is nobody without a verified address of an allowed domain', async () => {
    const attempts = [
      [{ email: newEmail(), isVerified: false }, 'email_not_verified'],
      [{ email: 'sid@elsewhere.com' }, 'domain_not_allowed'],
      [{ email: 'sid@sub.example.com' }, 'domain_not_allowed'],
      [{ email: 'sid@example.com@elsewhere.com' }, 'email_not_verified'],
      [undefined, 'access_denied'],
    ] as const;
    for (const [account, reason] of attempts) {
      expect(errorOf(await logIn(acme, account))).toBe('auth.sso_failed');
      expect(lastReason()).toMatchObject({ facts: { reason } });
    }
  });

  it('stays out when disabled, when no members are made, and when the plan has no place', async () => {
    const email = newEmail();
    const { memberId } = await world.join(here, acme, 'agent', email);
    await runAsTenant(acme, () => here.members.update(platform, 'enterprise', memberId, { status: 'disabled' }));
    expect([errorOf(await logIn(acme, { email })), lastReason()?.facts.reason]).toEqual(['auth.sso_failed', 'disabled']);
    await setUp(acme, { createMembers: false });
    expect([errorOf(await logIn(acme, { email: newEmail() })), lastReason()?.facts.reason]).toEqual(['auth.sso_failed', 'not_a_member']);
    await setUp(globex);
    world.plans.set(globex, 'starter');
    for (const deps of [here, there]) await deps.tenants.drop(globex);
    const agents = async () => runAsTenant(globex, () => world.db.transaction(() => here.people.countAgents()));
    while ((await agents()) < planLimits.starter.agents!) await runAsTenant(globex, () => here.members.invite(platform, 'starter', { email: newEmail(), role: 'agent', name: null }));
    expect([errorOf(await logIn(globex, { email: newEmail() })), lastReason()?.facts.reason]).toEqual(['auth.sso_failed', 'no_place_in_plan']);
    world.plans.set(globex, 'enterprise');
    for (const deps of [here, there]) await deps.tenants.drop(globex);
  });

  it('has accepted an invitation by coming, and the link is void', async () => {
    const email = newEmail();
    const { person, link } = await runAsTenant(acme, () => here.members.invite(platform, 'enterprise', { email, role: 'admin', name: 'Sid' }));
    expect(codeOf(await logIn(acme, { email }))).toMatch(/^swo\./);
    expect(await member(acme, email)).toMatchObject({ memberId: person.memberId, status: 'active', role: 'admin', name: 'Sid' });
    expect(await fate(from(() => here.credentials.acceptInvitation(link.token, { name: 'x', password: 'a password of somebody' })))).toBe('auth.link_invalid');
  });

  it('is never more than whoever set the provider up', async () => {
    const owner = newEmail();
    await world.join(here, acme, 'owner', owner);
    const admin = await world.join(here, acme, 'admin', newEmail());
    const key: Principal = { kind: 'tenant', tenantId: acme, subject: 'key_1', via: 'key', role: undefined, scopes: ['members:write'] };
    expect((await setUp(acme, {}, memberPrincipal(acme, admin, 'admin'))).maxRole).toBe('admin');
    expect([errorOf(await logIn(acme, { email: owner })), lastReason()?.facts.reason]).toEqual(['auth.sso_failed', 'above_max_role']);
    expect(codeOf(await logIn(acme, { email: admin.member.email }))).toMatch(/^swo\./);
    expect(await fate(setUp(acme, { defaultRole: 'admin' as MemberRole }, key))).toBe('auth.scope_missing');
    await setUp(acme);
    expect(codeOf(await logIn(acme, { email: owner }))).toMatch(/^swo\./);
  });
});

describe('the settings', () => {
  it('end what began under others, and what is under way when they go', async () => {
    const browser = await start(acme);
    const back = await provider.visit(browser.location, { email: newEmail() });
    await setUp(acme);
    expect(await fate(comeBack(acme, browser, back))).toBe('auth.link_invalid');
    await runAsTenant(acme, () => here.ssoSettings.remove());
    expect(await fate(start(acme))).toBe('sso.not_found');
    expect(await fate(start(globex))).toBe('done');
  });

  it('lead to no private network, to no page in the clear, and keep the secret sealed and out of the audit', async () => {
    for (const issuer of ['https://169.254.169.254', 'http://10.0.0.1', 'https://[fd00::1]']) expect(await fate(setUp(acme, { issuer }))).toBe('egress.refused');
    expect(await fate(setUp(acme, { returnUrl: 'http://desk.example.com' }))).toBe('request.invalid');
    const rows = await runAsTenant(acme, () => world.db.transaction(() => world.db.sql.query<{ row: string }>(`select t::text || encode(sealed_secret, 'escape') as row from sso_providers t`)));
    expect(rows).toHaveLength(1);
    for (const tenantId of testTenants) {
      expect(JSON.stringify(rows)).not.toContain(clientOf(tenantId).client_secret);
      expect(JSON.stringify(world.published)).not.toContain(clientOf(tenantId).client_secret);
    }
  });

  it('with a wrong client secret, or of a provider that is away, let nobody in', async () => {
    await setUp(acme, { clientSecret: 'a wrong one' });
    expect(errorOf(await logIn(acme, { email: newEmail() }))).toBe('auth.sso_failed');
    await setUp(acme, { issuer: 'http://127.0.0.1:1' });
    expect(await fate(start(acme))).toBe('auth.sso_failed');
    expect(await fate(start(globex))).toBe('done');
  });
});
