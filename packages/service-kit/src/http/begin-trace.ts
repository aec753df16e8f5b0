import { newId } from '@switchboard/contracts';
import type { Trace } from '@switchboard/tenant-context';
import { randomFillSync } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** https://www.w3.org/TR/trace-context/#traceparent-header, version 00; ids of zeros are invalid. */
const traceparentPattern = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/;
const requestIdPattern = /^req_[0-9a-z]{26}$/;

/**
 * The ids that follow this request. A trace that the caller began goes on with a span of our own; the request id is taken over only on
 * calls between services, so that outsiders cannot choose what stands in our logs.
 */
export function beginTrace(request: IncomingMessage): Trace {
  const { traceparent, 'x-request-id': given } = request.headers;
  const inside = request.headers['x-switchboard-internal'] !== undefined;
  const requestId = inside && typeof given === 'string' && requestIdPattern.test(given) ? given : newId('req');
  const parent = typeof traceparent === 'string' ? traceparentPattern.exec(traceparent) : null;
  const ids = randomHex();
  return { requestId, traceparent: `00-${parent?.[1] ?? ids.slice(0, 32)}-${ids.slice(32)}-${parent?.[2] ?? '01'}` };
}

const pool = Buffer.alloc(24 * 128);
let used = pool.length;

/** 48 hexadecimal digits. Random bytes are drawn for many requests at once: one system call each would cost more than the rest of this file. */
function randomHex(): string {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 24;
  return pool.toString('hex', used - 24, used);
}
