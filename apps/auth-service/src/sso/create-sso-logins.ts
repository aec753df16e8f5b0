import { hubError, newId, type LoginReply, type TenantId } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import { ssoLoginMs } from '../domain/lifetimes.ts';
import { formToken, hashSecret, parseToken, secretBytes, type RandomText } from '../domain/opaque-token.ts';
import { currentRealm, runInRealm } from '../domain/realm.ts';
import type { Announcer } from '../people/create-announcer.ts';
import type { OneTimeLinks } from '../people/create-one-time-links.ts';
import type { IsErased } from '../people/create-erased-check.ts';
import type { Tenants } from '../people/create-tenants.ts';
import type { Logins } from '../sessions/create-logins.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { SsoSettings, SsoStore } from '../store/sso.ts';
import type { createAdmission } from './create-admission.ts';
import type { SsoSettingsKeeper } from './create-sso-settings.ts';
import { openProvider, type Provider } from './open-provider.ts';

/** Milliseconds in which a provider is not asked again how it describes itself. */
const describedMs = 10 * 60_000;
/** Providers whose description is kept; the one that was opened longest ago goes. */
const describedMax = 500;

/** Where a browser goes next, and the cookie it is given or loses. */
export type Redirect = { readonly location: string; readonly cookie: { readonly name: string; readonly value: string; readonly maxAgeSeconds: number } };

export interface SsoLogins {
  /** To the tenant's provider. Throws `sso.not_found`, `auth.sso_failed`. */
  start(tenantId: TenantId): Promise<Redirect>;
  /**
   * Back from it, to the tenant's page with a one-time code or an error. `cookieOf` reads the browser's cookies. Throws `auth.link_invalid` for a
   * state that is not this tenant's, not this browser's, too old, or was used.
   */
  finish(tenantId: TenantId, query: Readonly<Record<string, unknown>> & { readonly state: string }, cookieOf: (name: string) => string | undefined): Promise<Redirect>;
  /** The session for the one-time code, or the next question. In any realm. Throws `auth.link_invalid`. */
  exchange(code: string): Promise<LoginReply>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly store: SsoStore;
  readonly settings: Pick<SsoSettingsKeeper, 'get' | 'secretOf'>;
  readonly isErased: IsErased;
  readonly admit: ReturnType<typeof createAdmission>;
  readonly tenants: Pick<Tenants, 'planOf'>;
  readonly links: OneTimeLinks;
  readonly logins: Pick<Logins, 'finish'>;
  readonly announcer: Announcer;
  readonly egress: Pick<Egress, 'request'>;
  readonly publicUrl: string;
  readonly randomText: RandomText;
  readonly now: () => Date;
};

export function createSsoLogins(deps: Deps): SsoLogins {
  const { db, store, settings, isErased, admit, tenants, links, logins, announcer, egress, publicUrl, randomText, now } = deps;
  const opened = new Map<TenantId, { readonly updatedAtMs: number; readonly untilMs: number; readonly provider: Provider }>();

  const open = async (tenantId: TenantId, current: SsoSettings): Promise<Provider> => {
    const known = opened.get(tenantId);
    if (known !== undefined && known.updatedAtMs === current.updatedAt.getTime() && known.untilMs > now().getTime()) return known.provider;
    const { issuer, clientId } = current;
    const provider = await openProvider(egress, { issuer, clientId, clientSecret: await settings.secretOf(current), redirectUri: redirectUriOf(publicUrl, tenantId) });
    opened.delete(tenantId);
    opened.set(tenantId, { updatedAtMs: current.updatedAt.getTime(), untilMs: now().getTime() + describedMs, provider });
    const [oldest] = opened.keys();
    if (opened.size > describedMax && oldest !== undefined) opened.delete(oldest);
    return provider;
  };

  const refuse = async ({ returnUrl }: SsoSettings, reason: string): Promise<string> => {
    // Nobody is told why but the tenant's own people.
    await db.transaction(() => announcer.audit({ action: 'sso.refused', subject: currentRealm() ?? '', facts: { reason } }));
    return withQuery(returnUrl, 'error', 'auth.sso_failed');
  };

  return {
    start: (tenantId) =>
      runAsTenant(tenantId, async () => {
        if (await isErased(tenantId)) throw hubError('sso.not_found');
        const current = await settings.get();
        const provider = await open(tenantId, current);
        const [loginId, secret, verifier, nonce] = [newId('sso'), randomText(secretBytes), randomText(secretBytes), randomText(secretBytes)];
        const login = { loginId, stateHash: hashSecret(secret), challenge: challengeOf(verifier), nonce, begunWith: current.updatedAt, expiresAt: new Date(now().getTime() + ssoLoginMs) };
        await store.insertLogin(login);
        const state = formToken('sws', { realm: tenantId, id: loginId, secret });
        // The verifier lies with the browser alone: nobody else who has state and code can use them.
        return { location: provider.authorizationUrl({ state, challenge: login.challenge, nonce }), cookie: { name: cookieName(loginId), value: verifier, maxAgeSeconds: ssoLoginMs / 1000 } };
      }),

    async finish(tenantId, query, cookieOf) {
      const state = parseToken('sws', query.state);
      const verifier = state === undefined ? undefined : cookieOf(cookieName(state.id));
      if (state === undefined || state.realm !== tenantId || verifier === undefined || (await isErased(tenantId))) throw hubError('auth.link_invalid');
      return await runAsTenant(tenantId, async () => {
        const login = await store.takeLogin({ loginId: state.id, stateHash: hashSecret(state.secret), challenge: challengeOf(verifier) }, now());
        const current = await store.find();
        if (login === undefined || current?.updatedAt.getTime() !== login.begunWith.getTime()) throw hubError('auth.link_invalid');
        const cookie = { name: cookieName(state.id), value: '', maxAgeSeconds: 0 };
        const identified = await (await open(tenantId, current)).identify(query, { state: query.state, verifier, nonce: login.nonce });
        if (identified.kind === 'failed') return { location: await refuse(current, identified.reason), cookie };
        const admission = await admit(current, identified.identity, await tenants.planOf(tenantId));
        if (admission.kind === 'refused') return { location: await refuse(current, admission.reason), cookie };
        const { token } = await db.transaction(() => links.issue(admission.person, 'sso'));
        return { location: withQuery(current.returnUrl, 'code', token), cookie };
      });
    },

    async exchange(code) {
      const { realm, person } = await links.redeem(code, 'sso', async (found) => ({ realm: currentRealm(), person: found }));
      return await runInRealm(realm, () => logins.finish(person));
    },
  };
}

/** Each tenant has its own: a code that another tenant's provider was tricked into giving arrives at the wrong door (RFC 9700 §4.4). */
export function redirectUriOf(publicUrl: string, tenantId: TenantId): string {
  return `${publicUrl}/auth/sso/callback/${tenantId}`;
}

/** One for each log-in: two tabs do not take each other's. */
function cookieName(loginId: string): string {
  return `switchboard_${loginId}`;
}

/** RFC 7636 §4.2, S256. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function withQuery(url: string, name: string, value: string): string {
  const changed = new URL(url);
  changed.searchParams.set(name, value);
  return changed.href;
}
