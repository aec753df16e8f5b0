import { onEvent } from '@switchboard/event-bus';
import type { Identification } from '../identify.ts';

/** Every gateway forgets the tokens of a tenant that trusts an issuer no more: what that one signed must not live on in any of them. */
export function onIssuerChanged(identification: Pick<Identification, 'forgetTenant'>) {
  return onEvent({
    type: 'issuer.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ tenantId }) => identification.forgetTenant(tenantId),
  });
}
