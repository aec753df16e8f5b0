import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { tenantIdSchema, type OpenSession, type TenantId } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import type { Dependencies } from '../dependencies.ts';
import { goodPassword, platform, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';

const [gone, globex] = testTenants;
const never = tenantIdSchema.parse('never-was');
const email = 'ann@example.com';

type Proofs = { readonly session: OpenSession; readonly invitation: string; readonly reset: string; readonly challenge: string };

let world: AuthWorld;
let here: Dependencies;
const proofs = new Map<TenantId, Proofs>();

beforeAll(async () => {
  world = await startAuthWorld();
  here = world.process();
  for (const tenantId of testTenants) {
    world.plans.set(tenantId, 'enterprise');
    const session = await world.join(here, tenantId, 'owner', email);
    const invited = await runAsTenant(tenantId, () => here.members.invite(platform, 'enterprise', { email: 'bob@example.com', role: 'agent', name: null }));
    const link = (purpose: 'password_reset' | 'challenge') =>
      runAsTenant(tenantId, () => here.db.transaction(async () => (await here.links.issue((await here.people.find(session.memberId))!, purpose)).token));
    proofs.set(tenantId, { session, invitation: invited.link.token, reset: await link('password_reset'), challenge: await link('challenge') });
  }
  world.erased.add(gone);
}, 60_000);
afterAll(() => world?.close());

const fate = (attempt: Promise<unknown>) => attempt.then((answer) => answer ?? 'done', ({ code, publicMessage }: { code?: string; publicMessage?: string }) => ({ code, publicMessage }));

/** What somebody gets who knocks with what was theirs, or with the like of it that names a tenant which never was. */
function doors(tenantId: TenantId) {
  const { session, invitation, reset, challenge } = proofs.get(tenantId) ?? proofs.get(gone)!;
  const of = (token: string) => token.replace(`.${gone}.`, `.${tenantId}.`);
  const sso = `sws.${tenantId}.sso_0123456789abcdef.${'x'.repeat(43)}`;
  return {
    'log-in': () => here.logins.byPassword({ realm: tenantId, email, password: goodPassword }),
    refresh: () => here.sessions.refresh(of(session.refreshToken)),
    logout: () => here.sessions.end(of(session.refreshToken)),
    invitation: () => here.credentials.acceptInvitation(of(invitation), { name: 'Bob', password: goodPassword }),
    'new password': () => here.credentials.reset(of(reset), `another ${goodPassword}`),
    'forgotten password': () => here.credentials.noteForgotten(tenantId, email),
    'second factor': () => here.secondFactors.answer(of(challenge), { code: '000000' }),
    'single sign-on': () => here.ssoLogins.start(tenantId),
    'its way back': () => here.ssoLogins.finish(tenantId, { state: sso, code: 'x' }, () => 'cookie'),
    'its code': () => here.ssoLogins.exchange(of(invitation)),
  } satisfies Record<string, () => Promise<unknown>>;
}

describe('an erased tenant', () => {
  it('is at every door as one that never was', async () => {
    const fatesAt = async (tenantId: TenantId) => {
      const fates: Record<string, unknown> = {};
      for (const [door, knock] of Object.entries(doors(tenantId))) fates[door] = await world.from('192.0.2.7', () => fate(knock()));
      return fates;
    };
    const ofGone = await fatesAt(gone);
    expect(ofGone).toEqual(await fatesAt(never));
    expect(ofGone).toMatchObject({ 'log-in': { code: 'auth.login_failed' }, refresh: { code: 'auth.session_ended' }, logout: 'done', invitation: { code: 'auth.link_invalid' }, 'single sign-on': { code: 'sso.not_found' } });
  });

  it('has no token that opens anything, and another tenant has', async () => {
    expect(await fate(here.verifyBearer(proofs.get(gone)!.session.accessToken))).toMatchObject({ code: 'auth.missing' });
    expect(await here.verifyBearer(proofs.get(globex)!.session.accessToken)).toMatchObject({ tenantId: globex });
  });

  it('takes no less time to log in to', async () => {
    const msOf = async (tenantId: TenantId) => {
      const times: number[] = [];
      for (let attempt = 0; attempt < 5; attempt++) {
        const startedMs = performance.now();
        await world.from(`198.51.100.${attempt}`, () => fate(here.logins.byPassword({ realm: tenantId, email: `${attempt}@example.com`, password: 'x' })));
        times.push(performance.now() - startedMs);
      }
      return times.toSorted((a, b) => a - b)[2]!;
    };
    const ofNever = await msOf(never);
    expect(await msOf(gone)).toBeGreaterThan(ofNever / 2);
  });
});
