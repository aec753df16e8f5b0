import { onEvent } from '@switchboard/event-bus';
import type { Identification } from '../identify.ts';

/** Every gateway forgets the keys of the tenant of one that was made or revoked: a revoked one must not live on in any of them. */
export function onApiKeyChanged(identification: Pick<Identification, 'forgetTenant'>) {
  return onEvent({
    type: 'api_key.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ tenantId }) => identification.forgetTenant(tenantId),
  });
}
