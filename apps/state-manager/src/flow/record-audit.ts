import type { LeadView } from '@switchboard/contracts';
import { currentActor, currentTenant } from '@switchboard/tenant-context';
import type { Parts } from './parts.ts';

/** What the audit tells of a lead: nothing that the contact said, which is to go when the lead goes. */
export function auditedLead({ source, status, assignee }: LeadView): Record<string, unknown> {
  return { source, status, assignee };
}

/** Who did what to a lead, in the transaction of the change. */
export async function recordAudit(
  { bus, now }: Pick<Parts, 'bus' | 'now'>,
  deed: { readonly action: `lead.${'created' | 'updated'}`; readonly lead: LeadView; readonly before?: LeadView; readonly facts?: Readonly<Record<string, unknown>> },
): Promise<void> {
  const { action, lead, before, facts } = deed;
  await bus.publish(
    'audit.recorded',
    { at: now().toISOString(), actor: currentActor(), action, subject: lead.leadId, ...(before === undefined ? {} : { before: auditedLead(before) }), after: auditedLead(lead), facts: { ...facts } },
    { orderingKey: currentTenant() },
  );
}
