import type { DeliveryError, DeliveryStatus, ErrorCode } from '@switchboard/contracts';

/**
 * Where a state stands in the one order in which deliveries grow: queued, given up, failed without knowing, sent, failed, delivered, read. An
 * attempt that was given up (and may be redriven) or whose outcome is unknown gives way to "sent"; any other failure only to the proof that
 * the message arrived (whatsapp.md section 4). A state is replaced by one of a higher rank only, so that repetition and order of the
 * providers' words do not matter.
 */
export function deliveryRank(status: DeliveryStatus, error: DeliveryError | null | undefined): number {
  if (status !== 'failed') return ranks[status];
  return openEndedRanks.get(error?.code) ?? failedRank;
}

const ranks: Record<Exclude<DeliveryStatus, 'failed'>, number> = { queued: 0, sent: 3, delivered: 5, read: 6 };
const openEndedRanks: ReadonlyMap<string | undefined, number> = new Map([['delivery.given_up', 1], ['delivery.outcome_unknown', 2]] satisfies [ErrorCode, number][]);
const failedRank = 4;
