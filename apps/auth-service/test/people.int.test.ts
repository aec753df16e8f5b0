import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import { newId, tenantIdSchema, type MemberId, type OpenSession, type TenantId } from '@switchboard/contracts';
import { internalTokenHeader, prepareServices, startService, type RunningService, type ServiceDefinition } from '@switchboard/service-kit';
import { adminHeaders, describeRoute, internalToken, internalTokenHeaders, memberHeaders, platformHeaders, testEnvironment } from '@switchboard/service-kit/testing';
import { startTestDatabase, testRolePassword, testTenants, type TestDatabase } from '@switchboard/testing';
import { Client } from 'pg';
import { service } from '../src/service.ts';
import { startFakeTenantService, type FakeTenantService } from '../src/testing/fake-tenant-service.ts';

const [acme, globex] = testTenants;
// The cast drops the service's own config type.
const definition: ServiceDefinition = service;
const password = 'correct horse battery staple';

let database: TestDatabase;
let tenantService: FakeTenantService;
let running: RunningService;
let made = 0;
/** A member of each tenant with the same address, who has accepted. */
const people = new Map<TenantId, OpenSession>();
let staff: OpenSession;

beforeAll(async () => {
  database = await startTestDatabase();
  await prepareServices([definition], { adminUrl: database.adminUrl, driver: 'embedded', rolePassword: testRolePassword });
  tenantService = await startFakeTenantService();
  for (const tenantId of testTenants) tenantService.plans.set(tenantId, 'enterprise');
  running = await startService(
    definition,
    testEnvironment({ DATABASE_URL: database.url('switchboard_auth'), BUS_DATABASE_URL: database.url('switchboard_bus'), TENANT_SERVICE_URL: tenantService.url }),
  );
  for (const tenantId of testTenants) people.set(tenantId, await join(tenantId, 'pat@example.com', 'owner'));
  const { token } = invitationOf(await post('/staff', { email: 'pat@example.com' }));
  staff = (await post('/auth/invitations/accept', { token, name: 'Pat', password }, {})).json as OpenSession;
}, 60_000);

afterAll(async () => {
  await running?.stop();
  tenantService?.close();
  await database?.drop();
});

type Answer = { readonly status: number; readonly headers: Headers; readonly json: unknown };

async function call(method: string, path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
  const response = await fetch(`${running.url}${path}`, {
    method,
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, json: text === '' ? undefined : JSON.parse(text) };
}
const post = (path: string, body: unknown, headers: Record<string, string> = adminHeaders()) => call('POST', path, headers, body);

const newEmail = () => `person.${++made}@example.com`;
/** Answers of the contract, which the kit has checked. */
const invitationOf = ({ json }: Answer) => (json as { invitation: { token: string } }).invitation;
const memberOf = ({ json }: Answer) => (json as { member: { memberId: MemberId } }).member;
const sessionOf = ({ json }: Answer) => json as OpenSession;

async function invite(tenantId: TenantId, email = newEmail(), role = 'admin'): Promise<{ id: MemberId; token: string }> {
  const answer = await post(`/tenants/${tenantId}/members`, { email, role });
  expect(answer.status).toBe(201);
  return { id: memberOf(answer).memberId, token: invitationOf(answer).token };
}

async function join(tenantId: TenantId, email = newEmail(), role = 'admin'): Promise<OpenSession> {
  const answer = await post('/auth/invitations/accept', { token: (await invite(tenantId, email, role)).token, name: 'Pat', password }, {});
  expect(answer.status).toBe(200);
  return sessionOf(answer);
}

const login = async (tenantId: TenantId) => sessionOf(await post('/auth/login', { tenantId, email: 'pat@example.com', password }, {}));
const idOf = (tenantId: TenantId) => people.get(tenantId)!.member.memberId;
const asMember = (tenantId: TenantId) => memberHeaders('auth-service', tenantId, 'owner', idOf(tenantId));

const suite = { service: 'auth-service', url: () => running.url, tenants: testTenants } as const;
const mine = { ...suite, memberId: idOf, memberHeaders: asMember } as const;
const noMember = <T>(input: T): T => ({ ...input, params: { ...(input as { params: object }).params, memberId: newId('mbr') } });

describeRoute(contracts.login, {
  ...suite,
  input: (tenantId) => ({ body: { tenantId, email: ' Pat@Example.COM ', password } }),
  badInputs: { 'an address that is none': (input) => ({ body: { ...input.body, email: 'pat' } }), 'no password': (input) => ({ body: { ...input.body, password: '' } }) },
});
describeRoute(contracts.refreshSession, { ...suite, input: async (tenantId) => ({ body: { refreshToken: (await login(tenantId)).refreshToken } }) });
describeRoute(contracts.logout, { ...suite, input: async (tenantId) => ({ body: { refreshToken: (await login(tenantId)).refreshToken } }) });
describeRoute(contracts.getMe, { ...mine, input: () => ({}) });
describeRoute(contracts.endMySessions, { ...mine, input: () => ({}) });
describeRoute(contracts.changePassword, {
  ...mine,
  input: () => ({ body: { currentPassword: password, newPassword: password } }),
  badInputs: { 'a password that is too short': () => ({ body: { currentPassword: password, newPassword: 'elevenchars' } }) },
});
describeRoute(contracts.requestPasswordReset, { ...suite, input: (tenantId) => ({ body: { tenantId, email: newEmail() } }) });
describeRoute(contracts.resetPassword, {
  ...suite,
  input: async (tenantId) => ({ body: { token: ((await post(`/tenants/${tenantId}/members/${idOf(tenantId)}/password-resets`, undefined)).json as { token: string }).token, newPassword: password } }),
});
describeRoute(contracts.acceptInvitation, {
  ...suite,
  input: async (tenantId) => ({ body: { token: (await invite(tenantId)).token, name: 'Pat', password } }),
  badInputs: { 'a name of blanks': (input) => ({ body: { ...input.body, name: ' ' } }) },
});
describeRoute(contracts.getJwks, { ...suite, input: () => ({}) });
describeRoute(contracts.rotateSigningKeys, { ...suite, input: () => ({}) });
describeRoute(contracts.verifyToken, { ...suite, input: async (tenantId) => ({ body: { token: (await login(tenantId)).accessToken } }) });

describeRoute(contracts.inviteMember, {
  ...suite,
  input: (tenantId) => ({ params: { tenantId }, body: { email: newEmail(), role: 'agent' as const } }),
  badInputs: { 'a role that does not exist': (input) => ({ ...input, body: { ...input.body, role: 'platform' as const } }) },
});
describeRoute(contracts.listMembers, { ...suite, input: (tenantId) => ({ params: { tenantId } }), badInputs: { 'a cursor of another making': (input) => ({ ...input, query: { cursor: 'x!' } }) } });
describeRoute(contracts.getMember, { ...suite, input: (tenantId) => ({ params: { tenantId, memberId: idOf(tenantId) } }), missing: noMember });
describeRoute(contracts.updateMember, { ...suite, input: async (tenantId) => ({ params: { tenantId, memberId: (await invite(tenantId, newEmail(), 'agent')).id }, body: { name: 'Sam' } }), missing: noMember });
describeRoute(contracts.deleteMember, { ...suite, input: async (tenantId) => ({ params: { tenantId, memberId: (await invite(tenantId, newEmail(), 'agent')).id } }), missing: noMember });
describeRoute(contracts.renewInvitation, { ...suite, input: async (tenantId) => ({ params: { tenantId, memberId: (await invite(tenantId, newEmail(), 'agent')).id } }), missing: noMember });
describeRoute(contracts.createPasswordReset, { ...suite, input: async (tenantId) => ({ params: { tenantId, memberId: (await join(tenantId, newEmail(), 'agent')).member.memberId } }), missing: noMember });

const inviteOfStaff = async () => memberOf(await post('/staff', { email: newEmail() })).memberId;
describeRoute(contracts.inviteStaff, { ...suite, input: () => ({ body: { email: newEmail() } }) });
describeRoute(contracts.listStaff, { ...suite, input: () => ({}) });
describeRoute(contracts.updateStaff, { ...suite, input: async () => ({ params: { memberId: await inviteOfStaff() }, body: { name: 'Sam' } }) });
describeRoute(contracts.createStaffPasswordReset, { ...suite, input: () => ({ params: { memberId: staff.member.memberId } }) });

describe('the tenant of a log-in', () => {
  const bySubdomain = (tenantId: TenantId) => ({ [internalTokenHeader]: internalToken('auth-service', { tenantId, via: 'subdomain' }) });

  it('may be that of the subdomain', async () => {
    expect(sessionOf(await post('/auth/login', { email: 'pat@example.com', password }, bySubdomain(globex))).member).toMatchObject({ memberId: idOf(globex), tenantId: globex });
  });

  it('is one, when it is named twice', async () => {
    expect(await post('/auth/login', { tenantId: acme, email: 'pat@example.com', password }, bySubdomain(globex))).toMatchObject({ status: 403, json: { code: 'tenant.mismatch' } });
    expect(await post('/auth/login', { tenantId: acme, email: 'pat@example.com', password }, bySubdomain(acme))).toMatchObject({ status: 200 });
  });

  it('is none for staff', async () => {
    expect(sessionOf(await post('/auth/login', { email: 'pat@example.com', password }, {})).member).toMatchObject({ memberId: staff.member.memberId, role: 'platform', tenantId: null });
  });
});

describe('an answer', () => {
  it('to a wrong log-in tells nothing of what was wrong', async () => {
    const attempts = [
      { tenantId: acme, email: 'pat@example.com', password: 'wrong' },
      { tenantId: acme, email: 'nobody@example.com', password },
      { tenantId: 'no-such-tenant', email: 'pat@example.com', password },
    ];
    const answers = await Promise.all(attempts.map((body) => post('/auth/login', body, {})));
    const [first] = answers.map(({ json }) => ({ ...(json as object), requestId: '' }));
    for (const { status, json } of answers) expect({ status, json: { ...(json as object), requestId: '' } }).toEqual({ status: 401, json: first });
  });

  it('to a forgotten password tells nothing of whether there is such an account', async () => {
    const answers = await Promise.all(['pat@example.com', 'nobody.here@example.com'].map((email) => post('/auth/password/reset-requests', { tenantId: acme, email }, {})));
    expect(answers.map(({ status, json }) => ({ status, json }))).toEqual([answers[0], answers[0]].map((answer) => ({ status: 202, json: answer?.json })));
  });

  it('with the public keys may be kept by others for five minutes, and has nothing private', async () => {
    const { headers, json } = await call('GET', '/.well-known/jwks.json', {});
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(JSON.stringify(json)).not.toMatch(/"d":/);
  });
});

describe('staff', () => {
  it('see who they are by their own log-in, and do what the admin key does under their own name', async () => {
    const headers = platformHeaders('auth-service', staff.member.memberId);
    expect(await call('GET', '/auth/me', headers)).toMatchObject({ status: 200, json: { memberId: staff.member.memberId, role: 'platform', tenantId: null } });
    expect(await post(`/tenants/${acme}/members`, { email: newEmail(), role: 'owner' }, headers)).toMatchObject({ status: 201 });
    expect(await call('PATCH', `/staff/${idOf(acme)}`, headers, { name: 'x' })).toMatchObject({ status: 404, json: { code: 'staff.not_found' } });
    expect(await call('GET', '/auth/me', platformHeaders('auth-service', 'admin-key'))).toMatchObject({ status: 404, json: { code: 'member.not_found' } });
  });
});

describe('the people of a tenant', () => {
  it('are listed page by page, and none of another tenant', async () => {
    await invite(globex);
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const { json } = await call('GET', `/tenants/${acme}/members?limit=5${cursor === '' ? '' : `&cursor=${cursor}`}`, adminHeaders());
      const page = json as { data: { memberId: string }[]; nextCursor: string | null };
      seen.push(...page.data.map(({ memberId }) => memberId));
      cursor = page.nextCursor;
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toContain(idOf(acme));
    expect(seen).not.toContain(idOf(globex));
  });

  it('cannot be invited to a tenant that does not exist', async () => {
    expect(await post('/tenants/no-such-tenant/members', { email: newEmail(), role: 'owner' })).toMatchObject({ status: 404, json: { code: 'tenant.not_found' } });
  });

  it('are asked about by no service but the gateway', async () => {
    const { accessToken } = await login(acme);
    expect(await post('/internal/tokens/verify', { token: accessToken }, internalTokenHeaders('auth-service', undefined, 'api-gateway'))).toMatchObject({ status: 200, json: { kind: 'member', tenantId: acme, role: 'owner' } });
    expect(await post('/internal/tokens/verify', { token: accessToken }, internalTokenHeaders('auth-service', undefined, 'state-manager'))).toMatchObject({ status: 401 });
  });
});

describe('a tenant that this service has erased', () => {
  it('is at the doors as one that never was', async () => {
    const gone = tenantIdSchema.parse('gone-tenant');
    tenantService.plans.set(gone, 'enterprise');
    const { accessToken, refreshToken } = await join(gone, 'pat@example.com', 'owner');
    const admin = new Client({ connectionString: database.adminUrl });
    await admin.connect();
    await admin.query(`insert into bus.erased_tenants (service, tenant_hash, event_id, erased_at) values ('auth', encode(sha256(convert_to($1, 'UTF8')), 'hex'), $2, now())`, [gone, newId('evt')]);
    await admin.end();
    const logIn = (tenantId: string) => post('/auth/login', { tenantId, email: 'pat@example.com', password }, {});
    // As old as the service's knowledge may be.
    for (let tries = 0; tries < 30 && (await post('/auth/refresh', { refreshToken }, {})).status === 200; tries++) await new Promise((resolve) => setTimeout(resolve, 100));
    const [ofGone, ofNobody] = [(await logIn(gone)).json, (await logIn('never-was')).json] as { code: string; detail: string }[];
    expect([ofGone?.code, ofGone?.detail]).toEqual(['auth.login_failed', ofNobody?.detail]);
    expect(await post('/auth/refresh', { refreshToken }, {})).toMatchObject({ status: 401, json: { code: 'auth.session_ended' } });
    expect((await post('/auth/logout', { refreshToken }, {})).status).toBe(204);
    expect(await post('/internal/tokens/verify', { token: accessToken }, internalTokenHeaders('auth-service', undefined, 'api-gateway'))).toMatchObject({ status: 401, json: { code: 'auth.missing' } });
  });
});
