import { listLeads, type LeadView } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Parts } from '../flow/parts.ts';
import { readLeads, type LeadPlace } from '../store/leads.ts';

export function listLeadsRoute({ db }: Parts): Route {
  return defineRoute(listLeads, async ({ query: { limit, cursor, status, source, since } }) => {
    const filter = { status, source, since: since === undefined ? undefined : new Date(since) };
    const place = readPlace(cursor);
    const found = await db.transaction(() => readLeads(db.sql, filter, place, limit + 1));
    return pageOfRows(found, limit, writePlace);
  });
}

function writePlace({ capturedAt, leadId }: LeadView): string {
  return `${Date.parse(capturedAt)}.${leadId}`;
}

/** Milliseconds since 1970, and the id. */
const place = /^(-?\d{1,15})\.(led_[0-9a-z]{10,40})$/;
/** Instants are written with a year of four digits. */
const [earliest, latest] = [Date.parse('0001-01-01T00:00:00Z'), Date.parse('9999-12-31T23:59:59.999Z')];

function readPlace(cursor: string | undefined): LeadPlace | undefined {
  const [, milliseconds, leadId] = place.exec(readCursor(cursor, place) ?? '') ?? [];
  return milliseconds === undefined || leadId === undefined ? undefined : { capturedAt: new Date(Math.min(Math.max(Number(milliseconds), earliest), latest)), leadId };
}
