import { hubError } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

/** The same way out, which is closed when `ms` are over: however many calls are made, together they take no longer. */
export function withinTime(egress: Egress, ms: number): Egress {
  const end = performance.now() + ms;
  return {
    ...egress,
    async request(request) {
      const leftMs = Math.floor(end - performance.now());
      if (leftMs <= 0) throw hubError('egress.failed', { detail: { reason: 'the time for this is over', sent: false } });
      return await egress.request({ ...request, timeoutMs: Math.min(request.timeoutMs ?? leftMs, leftMs) });
    },
  };
}
