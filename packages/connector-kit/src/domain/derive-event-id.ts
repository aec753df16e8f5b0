import type { EventId } from '@switchboard/contracts';
import { createHash } from 'node:crypto';

const base32 = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The id of the event that `cause` leads to, always the same for the same cause and name: a cause handled twice publishes what its
 * consumers have seen already. Keeps the time of the cause in front, so that ids still sort.
 */
export function deriveEventId(cause: EventId, name: string): EventId {
  const digest = createHash('sha256').update(`${cause}/${name}`).digest();
  let tail = '';
  for (const byte of digest.subarray(0, 26)) tail += base32[byte & 31];
  return `evt_${cause.slice(4, 14)}${tail}`;
}
