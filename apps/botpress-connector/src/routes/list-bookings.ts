import { listBookings } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import { assertTenant } from '../chatbot/assert-tenant.ts';
import type { ChatbotDependencies } from '../chatbot/dependencies.ts';

export function listBookingsRoute({ bookings, callRoute }: ChatbotDependencies): Route {
  return defineRoute(listBookings, async ({ query: { limit, cursor }, principal }) => {
    const before = readCursor(cursor);
    const rows = await bookings.list({ limit: limit + 1, ...(before !== undefined && { before }) });
    // Of a tenant that has any there is no doubt.
    if (rows.length === 0) await assertTenant(callRoute, principal);
    return pageOfRows(rows, limit, ({ bookingId }) => bookingId);
  });
}
