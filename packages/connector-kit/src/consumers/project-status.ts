import type { ConnectionId, DeliveryStatus } from '@switchboard/contracts';
import type { InboundEvent } from '../port.ts';
import type { Deliveries } from '../store/deliveries.ts';

type InboundStatus = Extract<InboundEvent, { kind: 'status' }>;

/** How far a part has come, in the order of the words; `failed` stands beside it. */
const ranks: Readonly<Record<Exclude<DeliveryStatus, 'failed'>, number>> = { queued: 0, sent: 1, delivered: 2, read: 3 };

/**
 * What a status of one part says of the whole message: its id, where the provider did not echo it, and of a message of several parts the
 * least that holds for all of them. Undefined when the whole message has not come further than was told already.
 */
export async function projectStatus(status: InboundStatus, connectionId: ConnectionId, deliveries: Deliveries): Promise<InboundStatus | undefined> {
  // Echoed without a part: the message has only one, and nothing need be looked up.
  if (status.messageId !== undefined && status.part === undefined) return status;
  const known = await findPart(status, connectionId, deliveries);
  if (known === undefined || known.partCount === 1) return { ...status, messageId: known?.messageId ?? status.messageId };
  const parts = await deliveries.recordStatus({ messageId: known.messageId, connectionId }, known.part, status.status);
  const whole = wholeOf(parts);
  // `sent` was told when the last part was handed over.
  if (status.status !== 'failed' && ranks[whole] < ranks.delivered) return undefined;
  return { ...status, messageId: known.messageId, status: status.status === 'failed' ? 'failed' : whole };
}

async function findPart({ messageId, part, providerMessageId }: InboundStatus, connectionId: ConnectionId, deliveries: Deliveries) {
  if (messageId !== undefined && part !== undefined) {
    const partCount = (await deliveries.find({ messageId, connectionId })).length;
    return partCount === 0 ? undefined : { messageId, part, partCount };
  }
  return providerMessageId === undefined ? undefined : deliveries.findByProviderMessageId(connectionId, providerMessageId);
}

/** The least that holds for all parts. A failed one keeps the message from being delivered as a whole. */
function wholeOf(parts: readonly (DeliveryStatus | undefined)[]): Exclude<DeliveryStatus, 'failed'> {
  return parts.map((status) => (status === undefined || status === 'failed' ? 'queued' : status)).reduce((least, status) => (ranks[status] < ranks[least] ? status : least), 'read' as const);
}
