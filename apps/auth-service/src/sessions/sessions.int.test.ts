import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tenantIdSchema, type LoginReply, type OpenSession } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createHmac } from 'node:crypto';
import type { Dependencies } from '../dependencies.ts';
import { guessRules } from '../guessing/create-guess-limits.ts';
import { platform, goodPassword, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';

const [acme, globex] = testTenants;
const minuteMs = 60_000;

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

const newEmail = () => `ann.${++joined}@example.com`;
const logIn = (tenantId: typeof acme | undefined, email: string, password = goodPassword, address = '192.0.2.1') =>
  world.from(address, () => here.logins.byPassword({ realm: tenantId, email, password }));
const session = (reply: LoginReply): OpenSession => {
  if ('challenge' in reply) throw new Error('a second factor was asked for');
  return reply;
};

/** The same address in both tenants: two people who share nothing but that. */
async function twins() {
  const email = newEmail();
  return { email, ofAcme: await world.join(here, acme, 'agent', email), ofGlobex: await world.join(here, globex, 'owner', email) };
}

describe('logging in', () => {
  it('leads to the tenant that was named, as the one who has this address there', async () => {
    const { email, ofAcme, ofGlobex } = await twins();
    expect(session(await logIn(acme, email)).member).toMatchObject({ memberId: ofAcme.memberId, tenantId: acme, role: 'agent', scopes: ['state:read', 'state:write'] });
    expect(session(await logIn(globex, email)).member).toMatchObject({ memberId: ofGlobex.memberId, tenantId: globex, role: 'owner' });
  });

  it('is refused the same for a wrong password, address and tenant, for the disabled and for those who have not accepted', async () => {
    const { email, ofAcme } = await twins();
    const invited = newEmail();
    await runAsTenant(acme, () => here.members.invite(platform, 'enterprise', { email: invited, role: 'admin', name: null }));
    await runAsTenant(acme, () => here.members.update(platform, 'enterprise', ofAcme.memberId, { status: 'disabled' }));
    const refusals = await Promise.all(
      [logIn(globex, email, 'wrong password'), logIn(acme, email), logIn(acme, newEmail()), logIn(acme, invited), logIn(tenantIdSchema.parse('nobody'), email), logIn(undefined, email)].map((attempt) =>
        attempt.catch((error: unknown) => error),
      ),
    );
    for (const refusal of refusals) expect(refusal).toMatchObject({ code: 'auth.login_failed', publicMessage: (refusals[0] as { publicMessage: string }).publicMessage });
  });

  it('takes as long for nobody as for somebody', async () => {
    const { email } = await twins();
    const timeOf = async (attempt: () => Promise<unknown>) => {
      const startedAt = performance.now();
      await attempt().catch(() => undefined);
      return performance.now() - startedAt;
    };
    const somebody: number[] = [];
    const nobody: number[] = [];
    const least = (times: number[]) => Math.min(...times);
    const isAlike = () => least(nobody) > least(somebody) / 2 && least(nobody) < least(somebody) * 2;
    // On a busy machine some more: a hash that is left out is missing every time. The account itself takes twenty failures.
    for (let round = 0; round < 5 || (round < 18 && !isAlike()); round++) {
      somebody.push(await timeOf(() => logIn(acme, email, 'wrong password', `192.0.2.${100 + round}`)));
      nobody.push(await timeOf(() => logIn(acme, newEmail(), 'wrong password', `192.0.2.${100 + round}`)));
    }
    expect(least(nobody)).toBeGreaterThan(least(somebody) / 2);
    expect(least(nobody)).toBeLessThan(least(somebody) * 2);
  });
});

describe('guessing', () => {
  it('waits longer after each failure, also when all guesses come at once, and in every process', async () => {
    const { email } = await twins();
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, (_, index) => world.from('198.51.100.1', () => (index % 2 === 0 ? here : there).logins.byPassword({ realm: acme, email, password: `guess ${index}` }))));
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as { code: string }).code : 'in'));
    expect(codes.filter((code) => code === 'auth.login_failed')).toHaveLength(guessRules.accountFromAddress.free + 1);
    expect(codes.filter((code) => code === 'limit.rate_exceeded')).toHaveLength(30 - guessRules.accountFromAddress.free - 1);
    // The right password waits as well, or the answer would tell it.
    await expect(logIn(acme, email, goodPassword, '198.51.100.1')).rejects.toMatchObject({ code: 'limit.rate_exceeded' });
    world.wait(1_000);
    await expect(logIn(acme, email, 'guess', '198.51.100.1')).rejects.toMatchObject({ code: 'auth.login_failed' });
    world.wait(1_000);
    await expect(logIn(acme, email, 'guess', '198.51.100.1')).rejects.toMatchObject({ code: 'limit.rate_exceeded', retry: { afterMs: 1_000 } });
  });

  it('does not make people wait whose process has a clock that is behind', async () => {
    const { email } = await twins();
    const behind = world.process({}, 500);
    await expect(logIn(acme, email, 'guess', '198.51.100.4')).rejects.toMatchObject({ code: 'auth.login_failed' });
    const reply = await world.from('198.51.100.4', () => behind.logins.byPassword({ realm: acme, email, password: goodPassword }));
    expect(session(reply).member.email).toBe(email);
  });

  it('is slowed down the same for an account that does not exist', async () => {
    const email = newEmail();
    for (let failure = 0; failure <= guessRules.accountFromAddress.free; failure++) await expect(logIn(acme, email, 'guess', '198.51.100.2')).rejects.toMatchObject({ code: 'auth.login_failed' });
    await expect(logIn(acme, email, 'guess', '198.51.100.2')).rejects.toMatchObject({ code: 'limit.rate_exceeded' });
  });

  it('from everywhere does not lock the owner out of the addresses that they log in from', async () => {
    const { email } = await twins();
    await logIn(acme, email, goodPassword, '203.0.113.7');
    for (let machine = 0; machine <= guessRules.account.free; machine++) await expect(logIn(acme, email, 'guess', `198.51.101.${machine}`)).rejects.toMatchObject({ code: 'auth.login_failed' });
    await expect(logIn(acme, email, 'guess', '198.51.101.200')).rejects.toMatchObject({ code: 'limit.rate_exceeded' });
    expect(session(await logIn(acme, email, goodPassword, '203.0.113.7')).member.email).toBe(email);
  });

  it('at one tenant\'s account does not touch the same address in another tenant', async () => {
    const { email } = await twins();
    for (let failure = 0; failure <= guessRules.accountFromAddress.free; failure++) await logIn(acme, email, 'guess', '198.51.100.3').catch(() => undefined);
    await expect(logIn(acme, email, goodPassword, '198.51.100.3')).rejects.toMatchObject({ code: 'limit.rate_exceeded' });
    expect(session(await logIn(globex, email, goodPassword, '198.51.100.3')).member.tenantId).toBe(globex);
  });

  it('is not what an office mistypes in the course of weeks: who logs in there every day waits for nobody else', async () => {
    const [ann, ben] = [(await twins()).email, (await twins()).email];
    for (const email of [ann, ben]) await logIn(acme, email, goodPassword, '198.51.102.1');
    for (let mistyped = 0; mistyped <= guessRules.address.free + 10; mistyped++) {
      world.wait(6 * 3_600_000);
      await expect(logIn(acme, ann, 'mistyped', '198.51.102.1')).rejects.toMatchObject({ code: 'auth.login_failed' });
      expect(session(await logIn(acme, ann, goodPassword, '198.51.102.1')).member.email).toBe(ann);
    }
    expect(session(await logIn(acme, ben, goodPassword, '198.51.102.1')).member.email).toBe(ben);
  }, 60_000);

  it('at others is slowed down also for who logs in with an account of their own in between', async () => {
    const { email } = await twins();
    await logIn(acme, email, goodPassword, '198.51.102.2');
    const codes: string[] = [];
    for (let account = 0; account <= guessRules.address.free + 1; account++) {
      await logIn(acme, newEmail(), 'guess', '198.51.102.2').catch((error: unknown) => codes.push((error as { code: string }).code));
      await logIn(acme, email, goodPassword, '198.51.102.2');
    }
    expect(codes.at(-2)).toBe('auth.login_failed');
    expect(codes.at(-1)).toBe('limit.rate_exceeded');
  }, 60_000);

  it('at many accounts from one machine is slowed down too, however many addresses the machine has', async () => {
    const codes: string[] = [];
    for (let account = 0; account <= guessRules.address.free + 1; account++) {
      await logIn(acme, newEmail(), 'guess', `2001:db8:5::${account.toString(16)}`).catch((error: unknown) => codes.push((error as { code: string }).code));
    }
    expect(codes.at(-2)).toBe('auth.login_failed');
    expect(codes.at(-1)).toBe('limit.rate_exceeded');
  }, 30_000);
});

describe('a session', () => {
  it('goes on by refreshing, in whichever process, and its access token names the one session', async () => {
    const { ofAcme } = await twins();
    const next = await there.sessions.refresh(ofAcme.refreshToken);
    expect(next.refreshToken).not.toBe(ofAcme.refreshToken);
    const claims = [ofAcme.accessToken, next.accessToken].map((token) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>);
    expect(claims[1]).toMatchObject({ iss: 'switchboard', aud: 'switchboard-api', tenant_id: acme, sub: ofAcme.memberId, role: 'agent', scopes: ['state:read', 'state:write'], sid: claims[0]!['sid'] });
    expect(claims[1]!['jti']).not.toBe(claims[0]!['jti']);
    expect(Number(claims[1]!['exp']) - Number(claims[1]!['iat'])).toBe(15 * 60);
  });

  it('gives many equal refreshes at once one and the same next token', async () => {
    const { ofAcme } = await twins();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, index) => (index % 2 === 0 ? here : there).sessions.refresh(ofAcme.refreshToken)));
    expect(new Set(answers.map(({ refreshToken }) => refreshToken)).size).toBe(1);
    await here.sessions.refresh(answers[0]!.refreshToken);
  });

  it('ends when an outdated token is used: for thief and owner, in the audit, and at the gateways', async () => {
    const { ofAcme } = await twins();
    const next = await here.sessions.refresh(ofAcme.refreshToken);
    expect(await here.verifyBearer(next.accessToken)).toMatchObject({ subject: ofAcme.memberId });
    world.wait(11_000);
    world.published.length = 0;
    await expect(here.sessions.refresh(ofAcme.refreshToken)).rejects.toMatchObject({ code: 'auth.session_ended' });
    await expect(here.sessions.refresh(next.refreshToken)).rejects.toMatchObject({ code: 'auth.session_ended' });
    await expect(there.verifyBearer(next.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    expect(world.published).toMatchObject([
      { type: 'audit.recorded', tenantId: acme, payload: { action: 'session.reuse_detected', subject: ofAcme.memberId } },
      { type: 'member.changed', tenantId: acme, payload: { memberId: ofAcme.memberId, status: 'active', role: 'agent' } },
    ]);
  });

  it('is not ended by a token that somebody made up around its id, nor found in another tenant', async () => {
    const { ofAcme } = await twins();
    const [kind, , id, secret] = ofAcme.refreshToken.split('.');
    for (const forged of [`${kind}.${globex}.${id}.${secret}`, `${kind}..${id}.${secret}`, `${kind}.${acme}.${id}.${'x'.repeat(22)}-${'y'.repeat(43)}`, 'garbage', '']) {
      await expect(here.sessions.refresh(forged)).rejects.toMatchObject({ code: 'auth.session_ended' });
      await here.sessions.end(forged);
    }
    expect(await here.verifyBearer(ofAcme.accessToken)).toMatchObject({ tenantId: acme });
  });

  it('ends by logging out, and the token with it', async () => {
    const { ofAcme, ofGlobex } = await twins();
    await here.sessions.end(ofAcme.refreshToken);
    await here.sessions.end(ofAcme.refreshToken);
    await expect(there.verifyBearer(ofAcme.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    await expect(there.sessions.refresh(ofAcme.refreshToken)).rejects.toMatchObject({ code: 'auth.session_ended' });
    expect(await there.verifyBearer(ofGlobex.accessToken)).toMatchObject({ tenantId: globex, role: 'owner' });
  });

  it('ends for everybody else when the password is changed, and goes on where it was changed', async () => {
    const { email, ofAcme } = await twins();
    const other = session(await logIn(acme, email));
    const person = (await runAsTenant(acme, () => here.people.find(ofAcme.memberId)))!;
    await world.from('192.0.2.1', () =>
      runAsTenant(acme, () => here.credentials.change(person, { currentPassword: goodPassword, newPassword: 'another good password', keptToken: ofAcme.refreshToken })),
    );
    expect(await here.verifyBearer(ofAcme.accessToken)).toMatchObject({ subject: ofAcme.memberId });
    await expect(here.verifyBearer(other.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    await expect(logIn(acme, email)).rejects.toMatchObject({ code: 'auth.login_failed' });
    expect(session(await logIn(acme, email, 'another good password')).member.memberId).toBe(ofAcme.memberId);
  });

  it('does not begin for somebody who was disabled or given another password while they logged in', async () => {
    const before = async (memberId: string) => (await runAsTenant(acme, () => here.people.find(memberId)))!;
    const [disabled, changed] = [(await twins()).ofAcme.memberId, (await twins()).ofAcme.memberId];
    const [one, other] = [await before(disabled), await before(changed)];
    const inAcme = <T>(fn: () => Promise<T>) => world.from('192.0.2.1', () => runAsTenant(acme, fn));
    await inAcme(() => there.members.update(platform, 'enterprise', disabled, { status: 'disabled' }));
    await inAcme(() => there.credentials.change(other, { currentPassword: goodPassword, newPassword: 'another good password' }));
    for (const person of [one, other]) await expect(inAcme(() => here.sessions.issue(person))).rejects.toMatchObject({ code: 'auth.login_failed' });
    expect((await inAcme(async () => here.sessions.issue(await before(changed)))).member.memberId).toBe(changed);
  });

  it('has its password changed by one of two who both knew the one before', async () => {
    const { email, ofAcme } = await twins();
    const person = (await runAsTenant(acme, () => here.people.find(ofAcme.memberId)))!;
    const change = (deps: Dependencies, newPassword: string) => world.from('192.0.2.1', () => runAsTenant(acme, () => deps.credentials.change(person, { currentPassword: goodPassword, newPassword })));
    const outcomes = await Promise.allSettled([change(here, 'the password of one'), change(there, 'the password of the other')]);
    const winner = outcomes.findIndex(({ status }) => status === 'fulfilled');
    expect(outcomes[1 - winner]).toMatchObject({ status: 'rejected', reason: { code: 'auth.login_failed' } });
    expect(session(await logIn(acme, email, winner === 0 ? 'the password of one' : 'the password of the other')).member.memberId).toBe(ofAcme.memberId);
  });

  it('is not kept by the refresh token of somebody else', async () => {
    const { ofAcme } = await twins();
    const colleague = await world.join(here, acme, 'agent', newEmail());
    const person = (await runAsTenant(acme, () => here.people.find(ofAcme.memberId)))!;
    await world.from('192.0.2.1', () => runAsTenant(acme, () => here.credentials.change(person, { currentPassword: goodPassword, newPassword: 'another good password', keptToken: colleague.refreshToken })));
    await expect(here.verifyBearer(ofAcme.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    expect(await here.verifyBearer(colleague.accessToken)).toMatchObject({ subject: colleague.memberId });
  });
});

describe('a bearer token', () => {
  it('says what its member may now, not what was true when it was made', async () => {
    const { ofAcme } = await twins();
    await runAsTenant(acme, () => here.members.update(platform, 'enterprise', ofAcme.memberId, { role: 'admin' }));
    expect(await there.verifyBearer(ofAcme.accessToken)).toMatchObject({ kind: 'member', role: 'admin', scopes: expect.arrayContaining(['members:write']) });
    await runAsTenant(acme, () => here.members.update(platform, 'enterprise', ofAcme.memberId, { status: 'disabled' }));
    await expect(there.verifyBearer(ofAcme.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    await runAsTenant(acme, () => here.members.update(platform, 'enterprise', ofAcme.memberId, { status: 'active' }));
    // Enabled again they log in again.
    await expect(there.verifyBearer(ofAcme.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it('is nobody\'s when its member is not active, even if nobody ended the session, nor when the session is somebody else\'s', async () => {
    const { ofAcme } = await twins();
    const { sid } = JSON.parse(Buffer.from(ofAcme.accessToken.split('.')[1]!, 'base64url').toString()) as { sid: string };
    const colleague = await world.join(here, acme, 'agent', newEmail());
    const find = (memberId: string) => runAsTenant(acme, () => here.sessions.findHolder(sid, memberId));
    expect(await find(ofAcme.memberId)).toMatchObject({ memberId: ofAcme.memberId });
    expect(await find(colleague.memberId)).toBeUndefined();
    await runAsTenant(acme, () => world.db.transaction(() => world.db.sql.query("update members set status = 'disabled' where member_id = $1", [ofAcme.memberId])));
    expect(await find(ofAcme.memberId)).toBeUndefined();
  });

  it('ends after a quarter of an hour', async () => {
    const { ofAcme } = await twins();
    world.wait(15 * minuteMs - 1_000);
    expect(await here.verifyBearer(ofAcme.accessToken)).toMatchObject({ subject: ofAcme.memberId });
    world.wait(1_000);
    await expect(here.verifyBearer(ofAcme.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it('is refused when it is signed by nothing, by the public key as a secret, by another key, or changed', async () => {
    const { ofAcme } = await twins();
    const [header, payload, signature] = ofAcme.accessToken.split('.') as [string, string, string];
    const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const [jwk] = await here.signingKeys.published();
    const symmetric = `${encode({ alg: 'HS256', kid, typ: 'at+jwt' })}.${payload}`;
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = [
      `${encode({ alg: 'none', kid, typ: 'at+jwt' })}.${payload}.`,
      `${symmetric}.${createHmac('sha256', JSON.stringify(jwk)).update(symmetric).digest('base64url')}`,
      `${header}.${encode({ ...claims, role: 'owner' })}.${signature}`,
      `${header}.${encode({ ...claims, tenant_id: globex })}.${signature}`,
      `${encode({ alg: 'ES256', kid: 'unknown', typ: 'at+jwt' })}.${payload}.${signature}`,
      `${encode({ alg: 'ES256', typ: 'at+jwt' })}.${payload}.${signature}`,
      `${header}.${payload}.`,
      'garbage',
    ];
    for (const token of forged) await expect(here.verifyBearer(token)).rejects.toMatchObject({ code: 'auth.missing' });
  });

  it('of another issuer is judged by whoever knows that issuer', async () => {
    const asked: string[] = [];
    const { verifyBearer } = world.process({
      otherIssuers: {
        verify: async (issuer) => {
          asked.push(issuer);
          return { kind: 'platform', subject: 'x', expiresAt: world.now().toISOString() };
        },
      },
    });
    await verifyBearer(`${Buffer.from('{"alg":"RS256"}').toString('base64url')}.${Buffer.from('{"iss":"https://idp.example.com"}').toString('base64url')}.x`);
    expect(asked).toEqual(['https://idp.example.com']);
  });
});

describe('staff', () => {
  it('log in without a tenant, in the same way, and are nobody in a tenant', async () => {
    const email = newEmail();
    await world.join(here, acme, 'owner', email);
    const { person, link } = await runAsSystem('a test invites', () => here.staff.invite({ email, name: 'Sue' }));
    const opened = await world.from('192.0.2.1', () => here.credentials.acceptInvitation(link.token, { name: 'Sue', password: 'a password for staff' }));
    expect(opened.member).toMatchObject({ memberId: person.memberId, role: 'platform', tenantId: null });
    expect(await there.verifyBearer(opened.accessToken)).toMatchObject({ kind: 'platform', subject: person.memberId });
    await expect(logIn(acme, email, 'a password for staff')).rejects.toMatchObject({ code: 'auth.login_failed' });
    await expect(logIn(undefined, email)).rejects.toMatchObject({ code: 'auth.login_failed' });
    await runAsSystem('a test disables', () => here.staff.update(person.memberId, { status: 'disabled' }));
    await expect(there.verifyBearer(opened.accessToken)).rejects.toMatchObject({ code: 'auth.missing' });
    await expect(logIn(undefined, email, 'a password for staff')).rejects.toMatchObject({ code: 'auth.login_failed' });
  });
});

describe('a second factor', () => {
  it('is asked for instead of a session', async () => {
    const { email } = await twins();
    const challenge = { token: 'swo.x', methods: ['totp'], expiresAt: world.now().toISOString() };
    const { logins } = world.process({ secondFactor: { challenge: async () => challenge } });
    expect(await world.from('192.0.2.1', () => logins.byPassword({ realm: acme, email, password: goodPassword }))).toEqual({ challenge });
  });
});

