import type { DeliveryError, DeliveryStatus } from '@switchboard/contracts';

/**
 * Where a state stands in the one order in which deliveries grow: queued, failed without knowing, sent, failed, delivered, read. An attempt
 * whose outcome is unknown gives way to "sent"; any other failure only to the proof that the message arrived (whatsapp.md section 4).
 * A state is replaced by one of a higher rank only, so that repetition and order of the providers' words do not matter.
 */
export function deliveryRank(status: DeliveryStatus, error: DeliveryError | null | undefined): number {
  if (status !== 'failed') return ranks[status];
  return error?.code === 'delivery.outcome_unknown' ? outcomeUnknownRank : failedRank;
}

const ranks: Record<Exclude<DeliveryStatus, 'failed'>, number> = { queued: 0, sent: 2, delivered: 4, read: 5 };
const outcomeUnknownRank = 1;
const failedRank = 3;
