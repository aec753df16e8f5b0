import { hubError, planLimits, type TenantRouting } from '@switchboard/contracts';
import type { Parts } from '../flow/parts.ts';
import { readUsed } from '../store/read-used.ts';

/**
 * Throws `limit.monthly_exceeded` when the tenant's plan has no message left in the month of `at`. In the transaction that stores the message:
 * until it ends, no other send through the API is counted, in any process, so that not one too many gets in.
 */
export async function assertWithinLimit({ db, monthAt }: Parts, { plan, timeZone }: TenantRouting, at: Date): Promise<void> {
  const limit = planLimits[plan].messagesPerMonth;
  if (limit === null) return;
  const { month, endsAt } = monthAt(at, timeZone);
  const used = await readUsed(db.sql, month);
  if (used < limit) return;
  throw hubError('limit.monthly_exceeded', {
    publicMessage: `${used} of ${limit} messages of ${month} are used. Messages from contacts are taken as before; sending is possible again from ${endsAt.toISOString()}, or with a larger plan.`,
    resetsAt: endsAt,
    retry: { afterMs: endsAt.getTime() - at.getTime() },
    detail: { plan, month, used, limit },
  });
}
