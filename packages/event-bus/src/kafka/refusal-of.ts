import type { FailureReason } from '../port.ts';

/** Kafka's refusals of a record for what it is (protocol errors 10, 18, 32, 87). All others are about the cluster or our rights, and pass or are mended there. */
const refusals = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE', 'INVALID_TIMESTAMP', 'INVALID_RECORD']);

/** Why Kafka will never take what was sent; undefined when it may later. kafkajs wraps the protocol's error at times. */
export function refusalOf(error: unknown): FailureReason | undefined {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ('type' in current && typeof current.type === 'string' && refusals.has(current.type)) {
      return { code: current.type.endsWith('TOO_LARGE') ? 'request.too_large' : 'request.invalid', message: current.message };
    }
  }
  return undefined;
}
