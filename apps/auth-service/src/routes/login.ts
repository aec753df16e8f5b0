import { acceptInvitation, hubError, login, logout, refreshSession, type TenantId } from '@switchboard/contracts';
import { defineRoute, type Principal, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../dependencies.ts';
import type { Realm } from '../domain/realm.ts';

export function loginRoute({ logins }: Dependencies): Route {
  return defineRoute(login, ({ principal, body: { tenantId, email, password } }) => logins.byPassword({ realm: realmOf(principal, tenantId), email, password }));
}

export function refreshSessionRoute({ sessions }: Dependencies): Route {
  return defineRoute(refreshSession, ({ body }) => sessions.refresh(body.refreshToken));
}

export function logoutRoute({ sessions }: Dependencies): Route {
  return defineRoute(logout, ({ body }) => sessions.end(body.refreshToken));
}

export function acceptInvitationRoute({ credentials }: Dependencies): Route {
  return defineRoute(acceptInvitation, ({ body: { token, ...chosen } }) => credentials.acceptInvitation(token, chosen));
}

/** Where somebody wants to log in: the tenant of the subdomain, the one that is named, or the platform. Throws `tenant.mismatch` when they differ. */
export function realmOf(principal: Principal, named: TenantId | undefined): Realm {
  const bySubdomain = principal.kind === 'public' ? principal.tenantId : undefined;
  if (bySubdomain !== undefined && named !== undefined && bySubdomain !== named) throw hubError('tenant.mismatch');
  return bySubdomain ?? named;
}
