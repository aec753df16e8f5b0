import { deleteSso, exchangeSso, finishSso, getSso, hubError, putSso, startSso, type SsoRecord, type TenantId } from '@switchboard/contracts';
import { defineRoute, reply, type Route } from '@switchboard/service-kit';
import type { SsoLogins, Redirect } from '../sso/create-sso-logins.ts';
import { redirectUriOf } from '../sso/create-sso-logins.ts';
import type { SsoSettingsKeeper } from '../sso/create-sso-settings.ts';
import type { SsoSettings } from '../store/sso.ts';
import { realmOf } from './login.ts';
import type { Tenants } from '../people/create-tenants.ts';

type Deps = { readonly ssoSettings: SsoSettingsKeeper; readonly ssoLogins: SsoLogins; readonly tenants: Pick<Tenants, 'planOf'>; readonly publicUrl: string };

/** Single sign-on: how it is set up, and the way of a browser to the provider and back. */
export function ssoRoutes({ ssoSettings, ssoLogins, tenants, publicUrl }: Deps): Route[] {
  const recordOf = (tenantId: TenantId, settings: SsoSettings): SsoRecord => {
    const { sealedSecret: _, updatedAt, allowedDomains, ...rest } = settings;
    return { ...rest, defaultRole: rest.defaultRole, allowedDomains: [...allowedDomains], redirectUri: redirectUriOf(publicUrl, tenantId), updatedAt: updatedAt.toISOString() };
  };
  const lead = ({ location, cookie }: Redirect) =>
    reply(undefined, {
      headers: {
        location,
        // Lax: it comes along when the provider sends the browser back, and with nothing that another page asks for.
        'set-cookie': `${cookie.name}=${cookie.value}; Path=/auth/sso; Max-Age=${cookie.maxAgeSeconds}; HttpOnly; SameSite=Lax${publicUrl.startsWith('https:') ? '; Secure' : ''}`,
        'cache-control': 'no-store',
        'referrer-policy': 'no-referrer',
      },
    });

  return [
    defineRoute(putSso, async ({ principal, params: { tenantId }, body }) => {
      await tenants.planOf(tenantId);
      return recordOf(tenantId, await ssoSettings.put(principal, body));
    }),
    defineRoute(getSso, async ({ params }) => recordOf(params.tenantId, await ssoSettings.get())),
    defineRoute(deleteSso, () => ssoSettings.remove()),
    defineRoute(startSso, async ({ principal, query }) => {
      const tenantId = realmOf(principal, query.tenantId);
      if (tenantId === undefined) throw hubError('sso.not_found');
      // The cookie is the host's at which the browser comes back.
      if (query.tenantId === undefined) return reply(undefined, { headers: { location: `${publicUrl}/auth/sso/start?tenantId=${tenantId}`, 'cache-control': 'no-store' } });
      return lead(await ssoLogins.start(tenantId));
    }),
    defineRoute(finishSso, async ({ params, query, cookie }) => lead(await ssoLogins.finish(params.tenantId, query, (name) => readCookie(cookie, name)))),
    defineRoute(exchangeSso, ({ body }) => ssoLogins.exchange(body.code)),
  ];
}

function readCookie(header: string | undefined, name: string): string | undefined {
  for (const pair of header?.split(';') ?? []) {
    const [key, value] = pair.split('=');
    if (key?.trim() === name && value !== undefined) return value.trim();
  }
  return undefined;
}
