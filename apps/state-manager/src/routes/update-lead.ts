import { hubError, updateLead } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { recordAudit } from '../flow/record-audit.ts';
import { changeLead, findLeadToChange } from '../store/leads.ts';

export function updateLeadRoute(parts: Parts): Route {
  const { db, now } = parts;
  return defineRoute(updateLead, async ({ params: { leadId }, body }) =>
    db.transaction(async () => {
      const before = await findLeadToChange(db.sql, leadId);
      if (before === undefined) throw hubError('lead.not_found');
      const lead = await changeLead(db.sql, before, body, now());
      await recordAudit(parts, { action: 'lead.updated', lead, before, facts: { notesChanged: lead.notes !== before.notes } });
      return lead;
    }),
  );
}
