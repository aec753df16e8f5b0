import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { newId, type IssuerId, type LoginReply, type MemberId, type OpenSession, type TenantId } from '@switchboard/contracts';
import { internalTokenHeader, prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, internalToken, memberHeaders, platformHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { authenticatorOf } from '../src/second-factor/one-time-code.ts';
import { service } from '../src/service.ts';
import { startFakeTenantService, type FakeTenantService } from '../src/testing/fake-tenant-service.ts';
import { startOidcProvider, type OidcProvider } from '../src/testing/start-oidc-provider.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition: ServiceDefinition = service;
const password = 'correct horse battery staple';
const publicUrl = 'https://api.hub.test';

let database: TestDatabase;
let tenantService: FakeTenantService;
let provider: OidcProvider;
let running: RunningService;
let made = 0;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  tenantService = await startFakeTenantService();
  for (const tenantId of testTenants) tenantService.plans.set(tenantId, 'enterprise');
  provider = await startOidcProvider(testTenants.map((tenantId) => ({ client_id: tenantId, client_secret: `secret of ${tenantId}`, redirect_uris: [`${publicUrl}/auth/sso/callback/${tenantId}`] })));
  running = await startService(
    definition,
    testEnvironment({ DATABASE_URL: database.url('switchboard_auth'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: tenantService.url, PUBLIC_GATEWAY_URL: publicUrl }),
  );
}, 60_000);

afterAll(async () => {
  await running?.stop();
  provider?.stop();
  tenantService?.close();
  await database?.drop();
});

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown };

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const response = await fetch(`${running.url}${path}`, {
    method,
    redirect: 'manual',
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}

const post = (path: string, body?: unknown, headers = adminHeaders()) => call('POST', path, headers, body);
const newEmail = () => `pat.${++made}@example.com`;

/** A member, or one of the staff, who has accepted. */
async function join(tenantId: TenantId | undefined, role = 'agent'): Promise<{ readonly id: MemberId; readonly email: string; readonly headers: Record<string, string> }> {
  const email = newEmail();
  const invited = await post(tenantId === undefined ? '/staff' : `/tenants/${tenantId}/members`, tenantId === undefined ? { email } : { email, role });
  const { token } = (invited.json as { invitation: { token: string } }).invitation;
  const { accessToken } = (await post('/auth/invitations/accept', { token, name: 'Pat', password }, {})).json as OpenSession;
  // The claims of a token that was just answered.
  const { sub } = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sub: MemberId };
  return { id: sub, email, headers: tenantId === undefined ? platformHeaders('auth-service', sub) : memberHeaders('auth-service', tenantId, 'owner', sub) };
}

type Person = Awaited<ReturnType<typeof join>>;

/** Whoever the suite asks as: made anew for each test, since a factor is enrolled once. */
const present = new Map<TenantId, Person>();

async function begin(tenantId: TenantId): Promise<{ readonly person: Person; readonly secret: string }> {
  const person = await join(tenantId);
  present.set(tenantId, person);
  const { json } = await post('/auth/second-factor', { password }, person.headers);
  return { person, secret: (json as { secret: string }).secret };
}

/** The code of the step before, of now and of the one after: each is good once. */
const codeOf = (secret: string, steps = 0) => authenticatorOf(secret).generate({ timestamp: Date.now() + steps * 30_000 });

async function enrol(tenantId: TenantId) {
  const { person, secret } = await begin(tenantId);
  const { json } = await post('/auth/second-factor/confirm', { code: codeOf(secret, -1) }, person.headers);
  return { person, secret, recoveryCodes: (json as { recoveryCodes: string[] }).recoveryCodes };
}

async function challengeOf(tenantId: TenantId, { email }: Person): Promise<string> {
  const reply = (await post('/auth/login', { tenantId, email, password }, {})).json as LoginReply;
  return 'challenge' in reply ? reply.challenge.token : '';
}

const after = <T>(first: Promise<unknown>, then: T): Promise<T> => first.then(() => then);

const suite = { service: 'auth-service', url: () => running.url, tenants: testTenants } as const;
const mine = { ...suite, memberHeaders: (tenantId: TenantId) => present.get(tenantId)?.headers ?? {}, memberId: (tenantId: TenantId) => present.get(tenantId)?.id ?? '' } as const;
const noMember = <T>(input: T): T => ({ ...input, params: { ...(input as { params: object }).params, memberId: newId('mbr') } });

describeRoute(contracts.getSecondFactor, { ...mine, input: (tenantId) => after(begin(tenantId), {}) });
describeRoute(contracts.enrolSecondFactor, { ...mine, input: (tenantId) => after(join(tenantId).then((person) => present.set(tenantId, person)), { body: { password } }) });
describeRoute(contracts.confirmSecondFactor, {
  ...mine,
  input: async (tenantId) => ({ body: { code: codeOf((await begin(tenantId)).secret) } }),
  badInputs: { 'a code that is none': () => ({ body: { code: '12345x' } }) },
});
describeRoute(contracts.renewRecoveryCodes, { ...mine, input: async (tenantId) => ({ body: { code: codeOf((await enrol(tenantId)).secret) } }) });
describeRoute(contracts.disableSecondFactor, {
  ...mine,
  input: async (tenantId) => ({ body: { password, code: codeOf((await enrol(tenantId)).secret) } }),
  badInputs: { 'neither a code nor a recovery code': () => ({ body: { password } }) },
});
describeRoute(contracts.loginWithSecondFactor, {
  ...suite,
  input: async (tenantId) => {
    const { person, secret } = await enrol(tenantId);
    return { body: { challengeToken: await challengeOf(tenantId, person), code: codeOf(secret) } };
  },
  badInputs: { 'a code and a recovery code': (input) => ({ body: { ...input.body, recoveryCode: 'x' } }) },
});
describeRoute(contracts.resetMemberSecondFactor, { ...suite, input: async (tenantId) => ({ params: { tenantId, memberId: (await enrol(tenantId)).person.id } }), missing: noMember });
describeRoute(contracts.resetStaffSecondFactor, {
  ...suite,
  input: async () => {
    const { id, headers } = await join(undefined);
    await post('/auth/second-factor', { password }, headers);
    return { params: { memberId: id } };
  },
});

const trusted = () => ({ kind: 'hs256' as const, issuer: `https://idp.example.com/${++made}`, audience: 'hub', secret: 'a secret of thirty-two bytes or so' });
const ofPublicKeys = { kind: 'jwks', issuer: 'https://idp.example.com', audience: 'hub', jwksUrl: 'https://127.0.0.1/keys', algorithm: 'RS256' } as const;
const trustedIn = async (path: string) => {
  await fewIssuers(path);
  return ((await post(path, trusted())).json as { issuerId: IssuerId }).issuerId;
};
const noIssuer = <T>(input: T): T => ({ ...input, params: { ...(input as { params: object }).params, issuerId: newId('iss') } });
const badIssuers = {
  'a secret that is too short': () => ({ ...trusted(), secret: 'x'.repeat(31) }),
  'no algorithm': () => ({ ...ofPublicKeys, algorithm: 'none' }),
  'a public key as a secret': () => ({ ...ofPublicKeys, algorithm: 'HS256' }),
  'our own name': () => ({ ...trusted(), issuer: 'switchboard' }),
};
const badInputsOf = <T>(wrap: (body: object, input: T) => unknown) => Object.fromEntries(Object.entries(badIssuers).map(([what, body]) => [what, (input: T) => wrap(body(), input)]));

/** Each of the suite's tests trusts one more: they go before there are too many. */
async function fewIssuers(path: string): Promise<void> {
  const { data } = (await call('GET', path, adminHeaders())).json as { data: { issuerId: IssuerId }[] };
  if (data.length > 10) for (const { issuerId } of data) await call('DELETE', `${path}/${issuerId}`, adminHeaders());
}

describeRoute(contracts.createIssuer, {
  ...suite,
  input: (tenantId) => after(fewIssuers(`/tenants/${tenantId}/issuers`), { params: { tenantId }, body: trusted() }),
  badInputs: badInputsOf((body, input: object) => ({ ...input, body })),
});
describeRoute(contracts.listIssuers, { ...suite, input: (tenantId) => ({ params: { tenantId } }) });
describeRoute(contracts.updateIssuer, {
  ...suite,
  input: async (tenantId) => ({ params: { tenantId, issuerId: await trustedIn(`/tenants/${tenantId}/issuers`) }, body: { isEnabled: false } }),
  missing: noIssuer,
});
describeRoute(contracts.deleteIssuer, { ...suite, input: async (tenantId) => ({ params: { tenantId, issuerId: await trustedIn(`/tenants/${tenantId}/issuers`) } }), missing: noIssuer });
describeRoute(contracts.createPlatformIssuer, { ...suite, input: () => after(fewIssuers('/issuers'), { body: trusted() }), badInputs: badInputsOf((body) => ({ body })) });
describeRoute(contracts.listPlatformIssuers, { ...suite, input: () => ({}) });
describeRoute(contracts.updatePlatformIssuer, { ...suite, input: async () => ({ params: { issuerId: await trustedIn('/issuers') }, body: { isEnabled: false } }) });
describeRoute(contracts.deletePlatformIssuer, { ...suite, input: async () => ({ params: { issuerId: await trustedIn('/issuers') } }) });

const settingsOf = (tenantId: TenantId) => ({ issuer: provider.issuer, clientId: tenantId, clientSecret: `secret of ${tenantId}`, allowedDomains: ['Example.com'], returnUrl: 'https://desk.example.com/' });
const setUp = (tenantId: TenantId) => call('PUT', `/tenants/${tenantId}/sso`, adminHeaders(), settingsOf(tenantId));

async function startAt(tenantId: TenantId): Promise<{ readonly location: string; readonly cookie: string }> {
  await setUp(tenantId);
  const { headers } = await call('GET', `/auth/sso/start?tenantId=${tenantId}`, {});
  return { location: headers.get('location') ?? '', cookie: (headers.getSetCookie()[0] ?? '').split(';')[0] ?? '' };
}

async function finishAt(tenantId: TenantId, email = newEmail()): Promise<Answer> {
  const { location, cookie } = await startAt(tenantId);
  const back = await provider.visit(location, { email });
  return await call('GET', `${back.pathname}${back.search}`, { cookie });
}

describeRoute(contracts.putSso, {
  ...suite,
  input: (tenantId) => ({ params: { tenantId }, body: settingsOf(tenantId) }),
  badInputs: {
    'a domain that is none': (input) => ({ ...input, body: { ...input.body, allowedDomains: ['exa mple'] } }),
    'owners by default': (input) => ({ ...input, body: { ...input.body, defaultRole: 'owner' } }),
  },
});
describeRoute(contracts.getSso, { ...suite, input: (tenantId) => after(setUp(tenantId), { params: { tenantId } }) });
describeRoute(contracts.deleteSso, { ...suite, input: (tenantId) => after(setUp(tenantId), { params: { tenantId } }) });
describeRoute(contracts.startSso, { ...suite, input: (tenantId) => after(setUp(tenantId), { query: { tenantId } }) });
describeRoute(contracts.exchangeSso, {
  ...suite,
  input: async (tenantId) => ({ body: { code: new URL((await finishAt(tenantId)).headers.get('location') ?? '').searchParams.get('code') ?? '' } }),
});

/** Of the browser that the suite last sent to the provider. */
let browserCookie = '';
describeRoute(contracts.finishSso, {
  ...suite,
  headers: () => ({ cookie: browserCookie }),
  input: async (tenantId) => {
    const { location, cookie } = await startAt(tenantId);
    browserCookie = cookie;
    const back = await provider.visit(location, { email: newEmail() });
    return { params: { tenantId }, query: { state: '', ...Object.fromEntries(back.searchParams) } };
  },
  badInputs: { 'no state': (input) => ({ ...input, query: { code: 'x' } }) },
});

describe('whoever comes back from the provider', () => {
  it('is led on to the page of the settings, and loses the cookie', async () => {
    const { status, headers } = await finishAt(acme);
    expect(status).toBe(302);
    expect(headers.get('location')).toMatch(/^https:\/\/desk\.example\.com\/\?code=swo\.acme\./);
    expect(headers.get('referrer-policy')).toBe('no-referrer');
    expect(headers.getSetCookie()).toEqual([expect.stringMatching(/^switchboard_sso_\w+=; Path=\/auth\/sso; Max-Age=0; HttpOnly; SameSite=Lax; Secure$/)]);
  });

  it('is answered 400 with a state that is none, at the door of another tenant, and in a browser without the cookie', async () => {
    const { location, cookie } = await startAt(acme);
    const back = await provider.visit(location, { email: newEmail() });
    expect(await call('GET', `/auth/sso/callback/${acme}?state=x&code=x`, { cookie })).toMatchObject({ status: 400, json: { code: 'auth.link_invalid' } });
    expect(await call('GET', `/auth/sso/callback/${globex}${back.search}`, { cookie })).toMatchObject({ status: 400, json: { code: 'auth.link_invalid' } });
    expect(await call('GET', `${back.pathname}${back.search}`, {})).toMatchObject({ status: 400, json: { code: 'auth.link_invalid' } });
    expect(await call('GET', `/auth/sso/callback/${acme}?code=x`, { cookie })).toMatchObject({ status: 400, json: { code: 'request.invalid' } });
  });
});

describe('the start of a single sign-on', () => {
  const bySubdomain = { [internalTokenHeader]: internalToken('auth-service', { tenantId: globex, via: 'subdomain' }) };

  it('at a subdomain goes first to the host that the browser comes back to, where its cookie is', async () => {
    const { status, headers } = await call('GET', '/auth/sso/start', bySubdomain);
    expect([status, headers.get('location'), headers.getSetCookie()]).toEqual([302, `${publicUrl}/auth/sso/start?tenantId=${globex}`, []]);
    expect(await call('GET', `/auth/sso/start?tenantId=${acme}`, bySubdomain)).toMatchObject({ status: 403, json: { code: 'tenant.mismatch' } });
  });

  it('is nothing for a tenant without one, for one that there is not, and for nobody', async () => {
    await call('DELETE', `/tenants/${globex}/sso`, adminHeaders());
    const answers = await Promise.all([`?tenantId=${globex}`, '?tenantId=no-such-tenant', ''].map((query) => call('GET', `/auth/sso/start${query}`, {})));
    for (const { status, json } of answers) expect({ status, json }).toMatchObject({ status: 404, json: { code: 'sso.not_found' } });
  });
});

describe('an answer', () => {
  it('has no secret of an issuer or of the settings', async () => {
    const secret = 'a secret of thirty-two bytes or so';
    const created = await post(`/tenants/${acme}/issuers`, trusted());
    const listed = await call('GET', `/tenants/${acme}/issuers`, adminHeaders());
    await setUp(acme);
    const settings = await call('GET', `/tenants/${acme}/sso`, adminHeaders());
    expect(created.status).toBe(201);
    expect(settings.json).toMatchObject({ redirectUri: `${publicUrl}/auth/sso/callback/${acme}`, allowedDomains: ['example.com'], maxRole: 'owner' });
    for (const { json } of [created, listed, settings]) expect(JSON.stringify(json)).not.toMatch(new RegExp(`${secret}|secret of ${acme}|sealed`));
  });
});
