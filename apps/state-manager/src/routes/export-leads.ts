import { exportLeads, leadsExportedMax, type LeadView } from '@switchboard/contracts';
import { defineRoute, renderCsv, reply, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { readLeads } from '../store/leads.ts';

const columns = ['lead_id', 'captured_at', 'source', 'status', 'name', 'phone', 'email', 'notes', 'attributes', 'assignee', 'conversation_id', 'updated_at'];

export function exportLeadsRoute({ db }: Parts): Route {
  return defineRoute(exportLeads, async ({ query: { status, source, since, until } }) => {
    const filter = { status, source, since: dateOf(since), until: dateOf(until) };
    const leads = await db.transaction(() => readLeads(db.sql, filter, undefined, leadsExportedMax));
    return reply(renderCsv([columns, ...leads.map((lead) => toRow(lead))]), { headers: { 'content-disposition': 'attachment; filename="leads.csv"' } });
  });
}

function dateOf(instant: string | undefined): Date | undefined {
  return instant === undefined ? undefined : new Date(instant);
}

function toRow({ leadId, capturedAt, source, status, contact, notes, attributes, assignee, conversationId, updatedAt }: LeadView): (string | null)[] {
  const said = Object.keys(attributes).length === 0 ? null : JSON.stringify(attributes);
  return [leadId, capturedAt, source, status, contact.name, contact.phone, contact.email, notes, said, assignee, conversationId, updatedAt];
}
