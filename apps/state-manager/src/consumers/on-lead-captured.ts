import type { PayloadOf } from '@switchboard/contracts';
import { onEvent, type Subscription } from '@switchboard/event-bus';
import type { Parts } from '../flow/parts.ts';
import { storeLead } from '../store/leads.ts';

/** A contact left details: kept under the id it came with, once, however often it is told. */
export function onLeadCaptured({ db }: Pick<Parts, 'db'>): Subscription {
  return onEvent({
    type: 'lead.captured',
    group: 'state-manager',
    effect: 'transaction',
    handle: async ({ payload: { at, ...lead } }) => {
      await storeLead(db.sql, { ...storable(lead), capturedAt: new Date(at) });
    },
  });
}

/** What a contact typed may hold what Postgres takes no text with; it must not lose the lead. */
function storable(lead: Omit<PayloadOf<'lead.captured'>, 'at'>): Omit<PayloadOf<'lead.captured'>, 'at'> {
  const clean = (text: string) => text.toWellFormed().replaceAll('\0', '');
  const cleanAll = <T extends object>(texts: T): T => Object.fromEntries(Object.entries(texts).map(([name, text]) => [clean(name), clean(String(text))])) as T; // the same names, all of texts
  return { ...lead, contact: cleanAll(lead.contact), attributes: cleanAll(lead.attributes), ...(lead.notes === undefined ? {} : { notes: clean(lead.notes) }) };
}
