import { onEvent } from '@switchboard/event-bus';
import type { Identification } from '../identify.ts';

/** Every gateway forgets the tokens of a tenant whose member changed: one who is disabled or has another role must not go on as before. */
export function onMemberChanged(identification: Pick<Identification, 'forgetTenant'>) {
  return onEvent({
    type: 'member.changed',
    group: 'api-gateway',
    effect: 'idempotent',
    delivery: 'broadcast',
    handle: async ({ tenantId }) => identification.forgetTenant(tenantId),
  });
}
