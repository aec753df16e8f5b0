import { newId, type BookingId, type BookingRecord, type ConnectionId, type ContactId, type ConversationId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { BotpressDatabase } from './client.ts';
import type { Booking } from './generated/client.ts';

/** What somebody asks for. `requestKey` names the request: the same one again is the same booking. */
export type BookingRequest = {
  readonly requestKey: string;
  readonly startsAt?: Date | undefined;
  readonly endsAt?: Date | undefined;
  readonly conversationId?: ConversationId | undefined;
  readonly contactId?: ContactId | undefined;
  readonly connectionId?: ConnectionId | undefined;
  readonly contact: { readonly name?: string | undefined; readonly phone?: string | undefined; readonly email?: string | undefined };
  readonly notes?: string | undefined;
};

/** Rows of `bookings`, of the current tenant. */
export function createBookingStore(db: BotpressDatabase) {
  return {
    /** The newest first, those before `before`. */
    list: ({ limit, before }: { readonly limit: number; readonly before?: string }): Promise<BookingRecord[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.booking.findMany({ where: { tenantId: currentTenant(), ...(before === undefined ? {} : { bookingId: { lt: before } }) }, orderBy: { bookingId: 'desc' }, take: limit });
        return rows.map(recordOf);
      }),

    /** What is taken between two moments. */
    listTaken: (from: Date, until: Date): Promise<{ readonly from: Date; readonly until: Date }[]> =>
      db.transaction(async () => {
        const rows = await db.prisma.booking.findMany({ where: { tenantId: currentTenant(), status: { not: 'cancelled' }, startsAt: { lt: until }, endsAt: { gt: from } }, orderBy: { startsAt: 'asc' }, select: { startsAt: true, endsAt: true } });
        return rows.flatMap(({ startsAt, endsAt }) => (startsAt === null || endsAt === null ? [] : [{ from: startsAt, until: endsAt }]));
      }),

    /** Inside a transaction: until it ends nobody else books at this tenant's. */
    async lock(): Promise<void> {
      await db.sql.query("select pg_advisory_xact_lock(hashtextextended('bookings ' || $1, 0))", [currentTenant()]);
    },

    /** Inside a transaction. */
    async findRequest(requestKey: string): Promise<BookingRecord | undefined> {
      const row = await db.prisma.booking.findUnique({ where: { tenantId_requestKey: { tenantId: currentTenant(), requestKey } } });
      return row === null ? undefined : recordOf(row);
    },

    /** Inside a transaction, after `lock`. */
    async insert({ contact: { name, phone, email }, ...request }: BookingRequest, createdAt: Date): Promise<BookingRecord> {
      const contact = { ...(name !== undefined && { name }), ...(phone !== undefined && { phone }), ...(email !== undefined && { email }) };
      const { requestKey, startsAt = null, endsAt = null, conversationId = null, contactId = null, connectionId = null, notes = null } = request;
      return recordOf(await db.prisma.booking.create({ data: { tenantId: currentTenant(), bookingId: newId('bkg'), status: 'requested', requestKey, startsAt, endsAt, conversationId, contactId, connectionId, contact, notes, createdAt } }));
    },
  };
}
export type BookingStore = ReturnType<typeof createBookingStore>;

function recordOf(row: Booking): BookingRecord {
  return {
    // The casts are safe: rows are written by `insert` alone.
    bookingId: row.bookingId as BookingId,
    status: row.status as BookingRecord['status'],
    startsAt: row.startsAt?.toISOString() ?? null,
    endsAt: row.endsAt?.toISOString() ?? null,
    conversationId: row.conversationId as ConversationId | null,
    contactId: row.contactId as ContactId | null,
    connectionId: row.connectionId as ConnectionId | null,
    contact: row.contact as BookingRecord['contact'],
    notes: row.notes,
    createdAt: row.createdAt.toISOString(),
  };
}
