import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { MemberRole, TenantId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { Client } from 'pg';
import type { Dependencies } from '../dependencies.ts';
import { goodPassword, memberPrincipal, platform, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';
import type { Person } from '../store/people.ts';
import { authenticatorOf } from './one-time-code.ts';

const [acme, globex] = testTenants;
const stepMs = 30_000;

let world: AuthWorld;
let here: Dependencies;
/** Another process of the service. */
let there: Dependencies;
let joined = 0;

beforeAll(async () => {
  world = await startAuthWorld();
  here = world.process();
  there = world.process();
}, 60_000);
afterAll(() => world?.close());

const fate = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: { code?: string }) => error.code);
const codeOf = (secret: string) => authenticatorOf(secret).generate({ timestamp: world.now().getTime() });
const from = <T>(fn: () => Promise<T>, address = '192.0.2.1') => world.from(address, fn);

type Enrolled = { readonly realm: TenantId | undefined; readonly email: string; readonly person: Person; readonly secret: string; readonly recoveryCodes: string[] };

const inRealm = <T>(realm: TenantId | undefined, fn: () => Promise<T>) => (realm === undefined ? runAsSystem('a test of staff', fn) : runAsTenant(realm, fn));

/** Somebody with a second factor; its first code is used up when this comes back. */
async function enrolled(realm: TenantId | undefined, role: MemberRole = 'agent'): Promise<Enrolled> {
  const email = `tess.${++joined}@example.com`;
  if (realm === undefined) {
    const { link } = await runAsSystem('a test invites', () => here.staff.invite({ email, name: null }));
    await from(() => here.credentials.acceptInvitation(link.token, { name: 'Tess', password: goodPassword }));
  } else {
    await world.join(here, realm, role, email);
  }
  return await from(() =>
    inRealm(realm, async () => {
      const person = (await here.people.findByEmail(email))!;
      const { secret } = await here.secondFactors.enrol(person, goodPassword);
      const recoveryCodes = await here.secondFactors.confirm(person, codeOf(secret));
      world.wait(stepMs);
      return { realm, email, person, secret, recoveryCodes };
    }),
  );
}

async function challenge({ realm, email }: Enrolled): Promise<string> {
  const reply = await from(() => here.logins.byPassword({ realm, email, password: goodPassword }));
  if (!('challenge' in reply)) throw new Error('no second factor was asked for');
  return reply.challenge.token;
}

describe('a log-in with a second factor', () => {
  it.each([['a member', acme], ['one of the staff', undefined]] as const)('of %s is a challenge, and a session for the code alone', async (_, realm) => {
    const tess = await enrolled(realm);
    const token = await challenge(tess);
    expect(await fate(here.verifyBearer(token))).toBe('auth.missing');
    expect(await fate(from(() => there.secondFactors.answer(token, { code: '000000' })))).toBe('auth.factor_failed');
    const session = await from(() => there.secondFactors.answer(token, { code: codeOf(tess.secret) }));
    expect(await here.verifyBearer(session.accessToken)).toMatchObject({ subject: tess.person.memberId });
    expect(await fate(from(() => here.secondFactors.answer(token, { code: codeOf(tess.secret) })))).toBe('auth.link_invalid');
  });

  it('takes a code once, also when it comes from two browsers at once', async () => {
    const tess = await enrolled(acme);
    const code = codeOf(tess.secret);
    const token = await challenge(tess);
    const fates = await Promise.all([here, there, here, there].map((process) => fate(from(() => process.secondFactors.answer(token, { code })))));
    expect(fates.filter((each) => each === 'done')).toHaveLength(1);
    const next = await challenge(tess);
    expect(await fate(from(() => here.secondFactors.answer(next, { code })))).toBe('auth.factor_failed');
    world.wait(stepMs);
    expect(await fate(from(() => here.secondFactors.answer(next, { code: codeOf(tess.secret) })))).toBe('done');
  });

  it('takes each recovery code once, however it is typed, and not that of somebody else', async () => {
    const tess = await enrolled(globex);
    const other = await enrolled(globex);
    const [first = '', second = ''] = tess.recoveryCodes;
    expect(new Set(tess.recoveryCodes).size).toBe(10);
    expect(await fate(from(() => here.secondFactors.answer('swo.x', { recoveryCode: first })))).toBe('auth.link_invalid');
    const token = await challenge(tess);
    expect(await fate(from(async () => here.secondFactors.answer(token, { recoveryCode: other.recoveryCodes[0] })))).toBe('auth.factor_failed');
    expect(await fate(from(() => here.secondFactors.answer(token, { recoveryCode: ` ${first.toUpperCase().replaceAll('-', ' ')}` })))).toBe('done');
    const next = await challenge(tess);
    expect(await fate(from(() => here.secondFactors.answer(next, { recoveryCode: first })))).toBe('auth.factor_failed');
    expect(await fate(from(() => here.secondFactors.answer(next, { recoveryCode: second })))).toBe('done');
    expect(await runAsTenant(globex, () => here.secondFactors.stateOf(tess.person))).toEqual({ status: 'active', recoveryCodesLeft: 8 });
  });

  it('waits longer after each wrong code, also when they come all at once', async () => {
    const tess = await enrolled(acme);
    const token = await challenge(tess);
    const fates = await Promise.all(Array.from({ length: 20 }, (_, index) => fate(from(() => (index % 2 === 0 ? here : there).secondFactors.answer(token, { code: '000000' }), '198.51.100.7'))));
    expect(fates.filter((each) => each === 'auth.factor_failed').length).toBeLessThanOrEqual(6);
    expect(await fate(from(() => here.secondFactors.answer(token, { code: codeOf(tess.secret) }), '198.51.100.7'))).toBe('limit.rate_exceeded');
    expect(await fate(from(() => here.secondFactors.answer(token, { code: codeOf(tess.secret) })))).toBe('done');
  });

  it('ends after five minutes, and when the factor was taken away meanwhile', async () => {
    const tess = await enrolled(acme);
    const late = await challenge(tess);
    world.wait(5 * 60_000);
    expect(await fate(from(() => here.secondFactors.answer(late, { code: codeOf(tess.secret) })))).toBe('auth.link_invalid');
    const token = await challenge(tess);
    await runAsTenant(acme, () => here.secondFactors.reset(platform, tess.person.memberId));
    expect(await fate(from(() => here.secondFactors.answer(token, { code: codeOf(tess.secret) })))).toBe('auth.link_invalid');
    expect(await from(() => here.logins.byPassword({ realm: acme, email: tess.email, password: goodPassword }))).toMatchObject({ tokenType: 'Bearer' });
  });
});

describe('a second factor', () => {
  it('counts from its first code on, and is not replaced while it counts', async () => {
    const { memberId } = await world.join(here, acme, 'agent', 'pending@example.com');
    const self = <T>(fn: (person: Person) => Promise<T>) => from(() => runAsTenant(acme, async () => fn((await here.people.find(memberId))!)));
    expect(await fate(self((person) => here.secondFactors.enrol(person, 'wrong password')))).toBe('auth.login_failed');
    expect(await fate(self((person) => here.secondFactors.confirm(person, '000000')))).toBe('second_factor.not_found');
    const first = await self((person) => here.secondFactors.enrol(person, goodPassword));
    expect(first.otpauthUri).toMatch(/^otpauth:\/\/totp\/Switchboard:pending%40example\.com\?.*secret=[A-Z2-7]{32}&/);
    expect(await from(() => here.logins.byPassword({ realm: acme, email: 'pending@example.com', password: goodPassword }))).toMatchObject({ tokenType: 'Bearer' });
    const second = await self((person) => here.secondFactors.enrol(person, goodPassword));
    expect(await fate(self((person) => here.secondFactors.confirm(person, codeOf(first.secret))))).toBe('auth.factor_failed');
    expect(await fate(self((person) => here.secondFactors.confirm(person, codeOf(second.secret))))).toBe('done');
    expect(await fate(self((person) => here.secondFactors.enrol(person, goodPassword)))).toBe('second_factor.active');
    world.wait(stepMs);
    expect(await fate(self((person) => here.secondFactors.confirm(person, codeOf(second.secret))))).toBe('second_factor.active');
  });

  it('is ended by password and code together', async () => {
    const tess = await enrolled(acme);
    const disable = (password: string, code: string) => fate(from(() => runAsTenant(acme, () => here.secondFactors.disable(tess.person, password, { code }))));
    expect(await disable('wrong password', codeOf(tess.secret))).toBe('auth.login_failed');
    expect(await disable(goodPassword, '000000')).toBe('auth.factor_failed');
    expect(await disable(goodPassword, codeOf(tess.secret))).toBe('done');
    expect(await disable(goodPassword, codeOf(tess.secret))).toBe('second_factor.not_found');
  });

  it('has new recovery codes for a code, and those before are void', async () => {
    const tess = await enrolled(acme);
    const fresh = await from(() => runAsTenant(acme, () => here.secondFactors.renewCodes(tess.person, codeOf(tess.secret))));
    const token = await challenge(tess);
    expect(await fate(from(() => here.secondFactors.answer(token, { recoveryCode: tess.recoveryCodes[0] })))).toBe('auth.factor_failed');
    expect(await fate(from(() => here.secondFactors.answer(token, { recoveryCode: fresh[0] })))).toBe('done');
  });

  it('is taken from others by an admin, from owners by owners, and never over tenants', async () => {
    const admin = memberPrincipal(acme, await world.join(here, acme, 'admin', 'adam@example.com'), 'admin');
    const agent = await enrolled(acme);
    const owner = await enrolled(acme, 'owner');
    const stranger = await enrolled(globex);
    const reset = ({ person }: Enrolled, by = admin) => fate(runAsTenant(acme, () => here.secondFactors.reset(by, person.memberId)));
    expect(await reset(stranger)).toBe('member.not_found');
    expect(await reset(owner)).toBe('member.owners_only');
    expect(await reset(owner, memberPrincipal(acme, owner.person, 'owner'))).toBe('done');
    world.published.length = 0;
    expect(await reset(agent)).toBe('done');
    expect(world.published).toMatchObject([{ tenantId: acme, type: 'audit.recorded', payload: { action: 'second_factor.reset', subject: agent.person.memberId } }]);
    expect(await reset(agent)).toBe('second_factor.not_found');
    expect(await challenge(stranger)).toMatch(/^swo\./);
  });

  it('lies in the database sealed, its recovery codes hashed, and stands in no event', async () => {
    const people = [await enrolled(acme), await enrolled(undefined)];
    const admin = new Client({ connectionString: world.adminUrl });
    await admin.connect();
    for (const table of ['second_factors', 'staff_second_factors']) {
      const { rows } = await admin.query<{ row: string }>(`select t::text || encode(sealed_secret, 'escape') as row from auth.${table} t`);
      expect(rows.length).toBeGreaterThan(0);
      for (const secret of people.flatMap(({ secret: each, recoveryCodes }) => [each, ...recoveryCodes])) expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
    }
    await admin.end();
    const told = JSON.stringify(world.published);
    for (const { secret, recoveryCodes } of people) for (const each of [secret, ...recoveryCodes]) expect(told).not.toContain(each);
  });
});
