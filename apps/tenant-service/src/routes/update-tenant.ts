import { hubError, updateTenant, type BodyOf } from '@switchboard/contracts';
import { defineRoute, type Principal, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { changeTenant } from '../tenants/change-tenant.ts';

/** What a tenant pays for or is barred by is not its own to change. */
const platformOnly = ['plan', 'rateLimit', 'status'] as const satisfies readonly (keyof BodyOf<typeof updateTenant>)[];

export function updateTenantRoute(deps: Dependencies): Route {
  return defineRoute(updateTenant, ({ body, principal }) => {
    assertOwnToChange(principal, body);
    return changeTenant(deps, body);
  });
}

function assertOwnToChange(principal: Principal, body: BodyOf<typeof updateTenant>): void {
  const barred = principal.kind === 'admin' ? undefined : platformOnly.find((field) => body[field] !== undefined);
  if (barred !== undefined) throw hubError('auth.scope_missing', { publicMessage: `Only the platform changes ${barred}.` });
}
