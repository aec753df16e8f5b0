import { hubError, type BodyOf, type MemberRole, type putSso } from '@switchboard/contracts';
import type { SecretBox } from '@switchboard/secrets';
import type { Egress, Principal } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Doer } from '../domain/decide-member-change.ts';
import { isRoleUpTo } from '../domain/role-order.ts';
import type { Announcer } from '../people/create-announcer.ts';
import { doerOf } from '../people/doer-of.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { PeopleStore } from '../store/people.ts';
import type { SsoSettings, SsoStore } from '../store/sso.ts';

/** How the current tenant's people log in at their own identity provider. */
export interface SsoSettingsKeeper {
  /** Throws `sso.not_found`. */
  get(): Promise<SsoSettings>;
  /** Throws `egress.refused`, `auth.scope_missing`, `request.invalid`. */
  put(by: Principal, chosen: BodyOf<typeof putSso>): Promise<SsoSettings>;
  /** Throws `sso.not_found`. */
  remove(): Promise<void>;
  secretOf(settings: SsoSettings): Promise<string>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly store: SsoStore;
  readonly people: PeopleStore;
  readonly box: SecretBox;
  readonly egress: Pick<Egress, 'assertAllowed'>;
  readonly announcer: Announcer;
  readonly now: () => Date;
};

/** Whoever says which provider is believed can log in as everybody whom it may name: nobody above themselves. */
const maxRoleOf: Readonly<Record<Doer, MemberRole | undefined>> = { platform: 'owner', owner: 'owner', admin: 'admin', fullKey: 'admin', key: 'agent', agent: undefined };

export function createSsoSettings({ db, store, people, box, egress, announcer, now }: Deps): SsoSettingsKeeper {
  const get = async (): Promise<SsoSettings> => {
    const settings = await store.find();
    if (settings === undefined) throw hubError('sso.not_found');
    return settings;
  };

  return {
    get,

    async put(by, { clientSecret, ...chosen }) {
      if (!isPageUrl(chosen.returnUrl)) throw hubError('request.invalid', { issues: [{ path: 'body.returnUrl', message: 'is not https' }] });
      await egress.assertAllowed(chosen.issuer);
      return await db.transaction(async () => {
        await people.lock();
        const maxRole = maxRoleOf[await doerOf(by, people)];
        if (maxRole === undefined || !isRoleUpTo(chosen.defaultRole, maxRole)) throw hubError('auth.scope_missing');
        const before = await store.find();
        // Never the same twice: it tells log-ins and descriptions of one provider from those of the next.
        const updatedAt = new Date(Math.max(now().getTime(), (before?.updatedAt.getTime() ?? 0) + 1));
        const settings: SsoSettings = { ...chosen, maxRole, sealedSecret: await box.seal(clientSecret, secretPlace()), updatedAt };
        await store.replace(settings);
        await announcer.audit({ action: 'sso.set_up', subject: currentTenant(), ...(before !== undefined && { before: audited(before) }), after: audited(settings) });
        return settings;
      });
    },

    remove: () =>
      db.transaction(async () => {
        const before = await get();
        await store.remove();
        await announcer.audit({ action: 'sso.removed', subject: currentTenant(), before: audited(before) });
      }),

    secretOf: ({ sealedSecret }) => box.open(sealedSecret, secretPlace()),
  };
}

function secretPlace() {
  return { table: 'sso_providers', column: 'sealed_secret', row: currentTenant() };
}

/** The code of a log-in stands in the address of this page: on the way it is nobody's to read. A page on the same machine is on no way. */
function isPageUrl(text: string): boolean {
  const { protocol, hostname } = new URL(text);
  return protocol === 'https:' || hostname === 'localhost' || hostname === '127.0.0.1';
}

function audited({ issuer, clientId, allowedDomains, defaultRole, maxRole, createMembers, returnUrl }: SsoSettings): Record<string, unknown> {
  return { issuer, clientId, allowedDomains, defaultRole, maxRole, createMembers, returnUrl };
}
