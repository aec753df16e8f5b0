import { getLead, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { findLead } from '../store/leads.ts';

export function getLeadRoute({ db }: Parts): Route {
  return defineRoute(getLead, async ({ params: { leadId } }) => {
    const lead = await db.transaction(() => findLead(db.sql, leadId));
    if (lead === undefined) throw hubError('lead.not_found');
    return lead;
  });
}
