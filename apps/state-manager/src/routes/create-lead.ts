import { createLead, hubError, newId, type BodyOf, type LeadView } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { createHash } from 'node:crypto';
import type { Parts } from '../flow/parts.ts';
import { recordAudit } from '../flow/record-audit.ts';
import { findLeadByKey, storeLead } from '../store/leads.ts';

export function createLeadRoute(parts: Parts): Route {
  const { db, bus, now } = parts;
  return defineRoute(createLead, async ({ body, idempotencyKey }) =>
    db.transaction(async () => {
      const { source, contact, notes } = body;
      const capturedAt = now();
      const idempotency = idempotencyKey === undefined ? undefined : { key: idempotencyKey, digest: digestOf(body) };
      const lead = await storeLead(db.sql, { leadId: newId('led'), source, contact, notes, attributes: {}, capturedAt, idempotency });
      if (lead === undefined) return answerRepetition(parts, idempotency);
      // Whoever listens hears of every lead; our own consumer finds it stored.
      await bus.publish('lead.captured', { leadId: lead.leadId, source, contact, ...(notes === undefined ? {} : { notes }), at: capturedAt.toISOString() }, { orderingKey: lead.leadId });
      await recordAudit(parts, { action: 'lead.created', lead });
      return lead;
    }),
  );
}

async function answerRepetition({ db }: Parts, idempotency: { readonly key: string; readonly digest: string } | undefined): Promise<LeadView> {
  const known = idempotency && (await findLeadByKey(db.sql, idempotency.key));
  if (known === undefined) throw hubError('internal', { detail: { reason: 'A lead was not stored, and there is none in its place.' } });
  if (known.digest !== idempotency?.digest) throw hubError('request.idempotency_conflict');
  return known.lead;
}

/** Of what was asked, in an order of its own: the lead itself may be changed since. */
function digestOf({ source, contact, notes }: BodyOf<typeof createLead>): string {
  return createHash('sha256').update(JSON.stringify([source, contact.name, contact.phone ?? null, contact.email ?? null, notes ?? null])).digest('hex');
}
