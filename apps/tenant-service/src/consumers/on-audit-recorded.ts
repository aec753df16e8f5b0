import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Audit } from '../store/audit.ts';

/** What other services' changes say of themselves joins the tenant's one chain, in the order in which it arrives. */
export function onAuditRecorded({ audit }: { readonly audit: Audit }): Subscription {
  return onEvent({
    type: 'audit.recorded',
    group: 'tenant-service',
    effect: 'transaction',
    handle: async ({ payload: { at, actor, action, subject, before, after, facts } }) => {
      await audit.append({
        at: new Date(at),
        actor,
        // The cast is safe: the catalogue's schema wants a dot in it.
        action: action as `${string}.${string}`,
        subject,
        facts,
        ...(before !== undefined && { before }),
        ...(after !== undefined && { after }),
      });
    },
  });
}
