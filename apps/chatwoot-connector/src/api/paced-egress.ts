import { hubError } from '@switchboard/contracts';
import type { Pace } from '@switchboard/connector-kit';
import type { Egress } from '@switchboard/service-kit';

/** Milliseconds of the window that the server counts by: a throttled server is left alone to its end. */
const windowMs = 60_000;

export type EgressPace = { readonly pace: Pace; readonly sleep: (ms: number) => Promise<void> };

/**
 * Calls to one server in the rhythm that it takes from the hub's address, which all its tenants share: 3 000 a minute of one IP, whoever's the
 * tokens are (contract, 3.1). A wait too long is `provider.throttled`, with nothing sent.
 */
export function pacedEgress(egress: Pick<Egress, 'request'>, { pace, sleep }: EgressPace): Pick<Egress, 'request'> {
  return {
    async request(request) {
      const host = hostOf(request.url);
      const turn = pace.take(host);
      if (turn.kind === 'too_long') throw hubError('provider.throttled', { retry: { afterMs: turn.retryAfterMs, counted: false }, detail: { sent: false, by: 'own pace' } });
      if (turn.waitMs > 0) await sleep(turn.waitMs);
      const reply = await egress.request(request);
      if (reply.status === 429) pace.pause(host, windowMs);
      return reply;
    },
  };
}

function hostOf(url: string): string {
  return URL.canParse(url) ? new URL(url).host : url;
}
