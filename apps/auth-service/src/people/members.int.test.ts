import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { planLimits, type MemberRole, type TenantId } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { Client } from 'pg';
import type { Dependencies } from '../dependencies.ts';
import { findPerson, goodPassword, memberPrincipal, platform, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';
import type { Principal } from '@switchboard/service-kit';

const [acme, globex] = testTenants;

let world: AuthWorld;
let here: Dependencies;
let there: Dependencies;
let joined = 0;

beforeAll(async () => {
  world = await startAuthWorld();
  here = world.process();
  there = world.process();
}, 60_000);
afterAll(() => world?.close());

const newEmail = () => `bob.${++joined}@example.com`;
const invite = (deps: Dependencies, tenantId: TenantId, role: MemberRole, by: Principal = platform, email = newEmail()) => runAsTenant(tenantId, () => deps.members.invite(by, 'starter', { email, role, name: null }));
const key = (tenantId: TenantId, scopes: Extract<Principal, { kind: 'tenant' }>['scopes']): Principal => ({ kind: 'tenant', tenantId, subject: 'key_1', via: 'key', role: undefined, scopes });
const fate = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: { code?: string }) => error.code);

/** Everybody of a tenant gone: each test counts its own owners and agents. */
async function empty(tenantId: TenantId): Promise<void> {
  const admin = new Client({ connectionString: world.adminUrl });
  await admin.connect();
  await admin.query('delete from auth.members where tenant_id = $1', [tenantId]);
  await admin.end();
}

describe('owners', () => {
  it('cannot both be demoted by each other at the same time: one active owner stays', async () => {
    for (let round = 0; round < 5; round++) {
      await empty(acme);
      const [ann, bob] = [await world.join(here, acme, 'owner', newEmail()), await world.join(here, acme, 'owner', newEmail())];
      const fates = await Promise.all([
        fate(runAsTenant(acme, () => here.members.update(memberPrincipal(acme, ann, 'owner'), 'starter', bob.memberId, { role: 'admin' }))),
        fate(runAsTenant(acme, () => there.members.update(memberPrincipal(acme, bob, 'owner'), 'starter', ann.memberId, { role: 'admin' }))),
      ]);
      // Whoever comes second is an owner no more, whatever the gateway still says.
      expect(fates.toSorted()).toEqual(['done', 'member.owners_only']);
      expect(await runAsTenant(acme, () => world.db.transaction(() => here.people.countActiveOwners()))).toBe(1);
    }
  }, 30_000);

  it('cannot go when they are the last, by leaving, by being disabled, removed or demoted, nor by the platform', async () => {
    await empty(acme);
    await world.join(here, globex, 'owner', newEmail());
    const last = await world.join(here, acme, 'owner', newEmail());
    await invite(here, acme, 'owner');
    const self = memberPrincipal(acme, last, 'owner');
    for (const by of [self, platform]) {
      expect(await fate(runAsTenant(acme, () => here.members.update(by, 'starter', last.memberId, { role: 'agent' })))).toBe('member.last_owner');
      expect(await fate(runAsTenant(acme, () => here.members.update(by, 'starter', last.memberId, { status: 'disabled' })))).toBe('member.last_owner');
      expect(await fate(runAsTenant(acme, () => here.members.remove(by, last.memberId)))).toBe('member.last_owner');
    }
    await world.join(here, acme, 'owner', newEmail());
    expect(await fate(runAsTenant(acme, () => here.members.remove(self, last.memberId)))).toBe('done');
  });

  it('are touched by owners and the platform alone', async () => {
    await empty(acme);
    const owner = await world.join(here, acme, 'owner', newEmail());
    const admin = await world.join(here, acme, 'admin', newEmail());
    const others = [memberPrincipal(acme, admin, 'admin'), key(acme, ['members:write'])];
    for (const by of others) {
      expect(await fate(invite(here, acme, 'owner', by))).toBe('member.owners_only');
      expect(await fate(runAsTenant(acme, () => here.members.createPasswordReset(by, owner.memberId)))).toBe('member.owners_only');
      expect(await fate(runAsTenant(acme, () => here.members.update(by, 'starter', admin.memberId, { role: 'owner' })))).toBe('member.owners_only');
    }
    expect(await fate(invite(here, acme, 'owner', memberPrincipal(acme, owner, 'owner')))).toBe('done');
  });
});

describe('who was an admin until just now', () => {
  it('changes nobody, whatever the gateway remembers', async () => {
    await empty(acme);
    const admin = await world.join(here, acme, 'admin', newEmail());
    const remembered = memberPrincipal(acme, admin, 'admin');
    await runAsTenant(acme, () => here.members.update(platform, 'starter', admin.memberId, { role: 'agent' }));
    expect(await fate(invite(here, acme, 'agent', remembered))).toBe('auth.scope_missing');
    await runAsTenant(acme, () => here.members.update(platform, 'starter', admin.memberId, { status: 'disabled' }));
    expect(await fate(invite(here, acme, 'agent', remembered))).toBe('auth.missing');
  });
});

describe('the plan', () => {
  it('has places for so many agents, also when twice as many are invited at once from two processes', async () => {
    await empty(acme);
    const places = planLimits.starter.agents!;
    const fates = await Promise.all(Array.from({ length: places * 2 }, (_, index) => fate(invite(index % 2 === 0 ? here : there, acme, 'agent'))));
    expect(fates.toSorted()).toEqual([...Array.from({ length: places }, () => 'done'), ...Array.from({ length: places }, () => 'limit.agents_exceeded')]);
    // Others are no agents, other tenants have places of their own, and who goes leaves a place.
    expect(await fate(invite(here, acme, 'admin'))).toBe('done');
    expect(await fate(invite(here, globex, 'agent'))).toBe('done');
    const [first] = await runAsTenant(acme, () => here.people.list(1, undefined, { role: 'agent' }));
    await runAsTenant(acme, () => here.members.remove(platform, first!.memberId));
    expect(await fate(invite(here, acme, 'agent'))).toBe('done');
    expect(await fate(invite(here, acme, 'agent'))).toBe('limit.agents_exceeded');
  });

  it('keeps nobody from being made an agent who has a place, and everybody else', async () => {
    await empty(acme);
    const admin = await world.join(here, acme, 'admin', newEmail());
    for (let place = 0; place < planLimits.starter.agents!; place++) await invite(here, acme, 'agent');
    expect(await fate(runAsTenant(acme, () => here.members.update(platform, 'starter', admin.memberId, { role: 'agent' })))).toBe('limit.agents_exceeded');
    expect(await fate(runAsTenant(acme, () => here.members.update(platform, 'professional', admin.memberId, { role: 'agent' })))).toBe('done');
    await runAsTenant(acme, () => here.members.update(platform, 'starter', admin.memberId, { status: 'disabled' }));
    expect(await fate(runAsTenant(acme, () => here.members.update(platform, 'starter', admin.memberId, { status: 'active' })))).toBe('limit.agents_exceeded');
  });

  it('is asked for once a minute, and again when the tenant changed or was nobody\'s a second ago', async () => {
    expect(await fate(here.tenants.planOf(acme))).toBe('tenant.not_found');
    world.plans.set(acme, 'starter');
    expect(await fate(here.tenants.planOf(acme))).toBe('tenant.not_found');
    world.wait(1_000);
    expect(await here.tenants.planOf(acme)).toBe('starter');
    world.plans.set(acme, 'enterprise');
    expect(await here.tenants.planOf(acme)).toBe('starter');
    await here.tenants.drop(acme);
    expect(await here.tenants.planOf(acme)).toBe('enterprise');
    world.plans.set(acme, 'professional');
    world.wait(60_000);
    expect(await here.tenants.planOf(acme)).toBe('professional');
  });
});

describe('an invitation', () => {
  it('is accepted once, in its own tenant, by whoever has the token', async () => {
    const { person, link } = await invite(here, globex, 'admin');
    const accept = (token: string) => world.from('192.0.2.1', () => here.credentials.acceptInvitation(token, { name: 'Bob', password: goodPassword }));
    const [kind, , id, secret] = link.token.split('.');
    for (const forged of [`${kind}.${acme}.${id}.${secret}`, `${kind}.${globex}.${id}.${'x'.repeat(43)}`, 'garbage']) expect(await fate(accept(forged))).toBe('auth.link_invalid');
    const fates = await Promise.all(Array.from({ length: 4 }, () => fate(accept(link.token))));
    expect(fates.toSorted()).toEqual(['auth.link_invalid', 'auth.link_invalid', 'auth.link_invalid', 'done']);
    expect(await findPerson(here, globex, person.memberId)).toMatchObject({ status: 'active', name: 'Bob' });
  });

  it('ends after a week, when it is made anew, and when the member is disabled or removed', async () => {
    await empty(globex);
    const accept = (token: string) => fate(world.from('192.0.2.1', () => here.credentials.acceptInvitation(token, { name: 'Bob', password: goodPassword })));
    const { person, link } = await invite(here, globex, 'admin');
    const again = await runAsTenant(globex, () => here.members.renewInvitation(platform, person.memberId));
    expect(await accept(link.token)).toBe('auth.link_invalid');
    world.wait(7 * 24 * 3_600_000);
    expect(await accept(again.link.token)).toBe('auth.link_invalid');
    const third = await runAsTenant(globex, () => here.members.renewInvitation(platform, person.memberId));
    await runAsTenant(globex, () => here.members.remove(platform, person.memberId));
    expect(await accept(third.link.token)).toBe('auth.link_invalid');
  });

  it('is not made twice for one address in a tenant; another tenant may have the same', async () => {
    await empty(acme);
    const email = newEmail();
    expect(await fate(invite(here, acme, 'agent', platform, email))).toBe('done');
    expect(await fate(invite(here, acme, 'admin', platform, email))).toBe('member.taken');
    await empty(globex);
    expect(await fate(invite(here, globex, 'agent', platform, email))).toBe('done');
  });
});

describe('a link to set a new password', () => {
  it('works once, ends every session, and opens an account that is being guessed at', async () => {
    await empty(acme);
    const email = newEmail();
    const ann = await world.join(here, acme, 'agent', email);
    const guess = (password: string) => world.from('198.51.100.9', () => here.logins.byPassword({ realm: acme, email, password }));
    for (let failure = 0; failure < 6; failure++) await fate(guess('wrong'));
    expect(await fate(guess(goodPassword))).toBe('limit.rate_exceeded');
    const link = await runAsTenant(acme, () => here.members.createPasswordReset(platform, ann.memberId));
    expect(await fate(world.from('198.51.100.9', () => here.credentials.acceptInvitation(link.token, { name: 'x', password: goodPassword })))).toBe('auth.link_invalid');
    await world.from('198.51.100.9', () => here.credentials.reset(link.token, 'an entirely new password'));
    expect(await fate(world.from('198.51.100.9', () => here.credentials.reset(link.token, 'an entirely new password')))).toBe('auth.link_invalid');
    expect(await fate(here.verifyBearer(ann.accessToken))).toBe('auth.missing');
    expect(await fate(guess('an entirely new password'))).toBe('done');
  });
});

describe('somebody who is disabled and enabled again', () => {
  it('logs in anew: no session from before goes on, of members and of staff', async () => {
    await empty(acme);
    const ann = await world.join(here, acme, 'agent', newEmail());
    const { person, link } = await runAsSystem('a test invites', () => here.staff.invite({ email: newEmail(), name: null }));
    const pat = await world.from('192.0.2.1', () => here.credentials.acceptInvitation(link.token, { name: 'Pat', password: goodPassword }));
    for (const status of ['disabled', 'active'] as const) {
      await runAsTenant(acme, () => here.members.update(platform, 'enterprise', ann.memberId, { status }));
      await runAsSystem('a test changes', () => here.staff.update(person.memberId, { status }));
    }
    for (const { accessToken, refreshToken } of [ann, pat]) {
      expect(await fate(here.verifyBearer(accessToken))).toBe('auth.missing');
      expect(await fate(there.sessions.refresh(refreshToken))).toBe('auth.session_ended');
    }
  });
});

describe('the gateways', () => {
  it('hear at once of everything that changes what somebody may, so that nothing of it is remembered', async () => {
    await empty(acme);
    const join = () => world.join(here, acme, 'agent', newEmail());
    const [ann, ben, cat, dan] = [await join(), await join(), await join(), await join()];
    world.published.length = 0;
    const inAcme = <T>(fn: () => Promise<T>) => world.from('192.0.2.1', () => runAsTenant(acme, fn));
    await inAcme(() => here.members.update(platform, 'enterprise', ann.memberId, { role: 'admin' }));
    await inAcme(() => here.members.update(platform, 'enterprise', ben.memberId, { status: 'disabled' }));
    await inAcme(() => here.members.remove(platform, cat.memberId));
    await world.from('192.0.2.1', () => here.sessions.end(ann.refreshToken));
    const link = await inAcme(() => here.members.createPasswordReset(platform, dan.memberId));
    await world.from('192.0.2.1', () => here.credentials.reset(link.token, 'an entirely new password'));
    expect(world.published.filter(({ type }) => type === 'member.changed').map(({ tenantId, payload }) => ({ tenantId, ...(payload as object) }))).toEqual([
      { tenantId: acme, memberId: ann.memberId, status: 'active', role: 'admin' },
      { tenantId: acme, memberId: ben.memberId, status: 'disabled', role: 'agent' },
      { tenantId: acme, memberId: cat.memberId, status: 'deleted', role: 'agent' },
      { tenantId: acme, memberId: ann.memberId, status: 'active', role: 'admin' },
      { tenantId: acme, memberId: dan.memberId, status: 'active', role: 'agent' },
    ]);
  });
});

describe('the audit', () => {
  it('hears of every change of a tenant who did it, without a secret', async () => {
    await empty(acme);
    world.published.length = 0;
    const ann = await world.join(here, acme, 'owner', newEmail());
    await world.from('192.0.2.1', () => here.sessions.end(ann.refreshToken));
    const audited = world.published.filter(({ type }) => type === 'audit.recorded');
    expect(audited).toMatchObject([
      { tenantId: acme, payload: { action: 'member.invited', subject: ann.memberId, after: { role: 'owner', status: 'invited' } } },
      { tenantId: acme, payload: { action: 'member.accepted', subject: ann.memberId, actor: { kind: 'member', subject: ann.memberId, from: '192.0.2.1' } } },
      { tenantId: acme, payload: { action: 'session.started' } },
      { tenantId: acme, payload: { action: 'session.ended' } },
    ]);
    const told = JSON.stringify(world.published);
    for (const secret of [goodPassword, ann.refreshToken, ann.accessToken, 'argon2id']) expect(told).not.toContain(secret);
  });

  it('of staff is a table that can be added to alone', async () => {
    const { person } = await runAsSystem('a test invites', () => here.staff.invite({ email: newEmail(), name: null }));
    const rows = await runAsSystem('a test reads', () => world.db.transaction(() => world.db.sql.query<{ action: string }>('select action from staff_audit_entries where subject = $1', [person.memberId])));
    expect(rows).toEqual([{ action: 'staff.invited' }]);
    for (const change of ["update staff_audit_entries set action = 'x'", 'delete from staff_audit_entries']) {
      await expect(runAsSystem('a test tries', () => world.db.transaction(() => world.db.sql.query(change)))).rejects.toThrow(/permission denied/);
    }
  });
});

describe('the database', () => {
  it('holds no password and no token as it was given', async () => {
    const ann = await world.join(here, globex, 'admin', newEmail());
    const admin = new Client({ connectionString: world.adminUrl });
    await admin.connect();
    const { rows: tables } = await admin.query<{ name: string }>(`select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname = 'auth'`);
    const secrets = [goodPassword, ann.refreshToken.split('.')[3]!, ann.refreshToken.split('.')[3]!.slice(23), ann.accessToken];
    for (const { name } of tables) {
      const { rows } = await admin.query<{ row: string }>(`select t::text as row from ${name} t`);
      for (const secret of secrets) expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
    }
    await admin.end();
  });
});
