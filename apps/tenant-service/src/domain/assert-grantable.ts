import { hubError, type Scope } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';

/** Nobody hands on what they do not have: a tenant's key or member grants its own scopes at most. Throws `auth.scope_missing`. */
export function assertGrantable(principal: Principal, wanted: readonly string[]): void {
  if (principal.kind === 'admin') return;
  const own: readonly Scope[] = principal.kind === 'tenant' ? principal.scopes : [];
  const missing = wanted.find((scope) => !own.some((each) => each === scope));
  if (missing !== undefined) throw hubError('auth.scope_missing', { publicMessage: `A key can be given no scope that its maker does not have: ${missing}.` });
}
