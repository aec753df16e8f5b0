import type { Pace } from '@switchboard/connector-kit';
import { hubError } from '@switchboard/contracts';
import type { Egress } from '@switchboard/service-kit';

/** Milliseconds of the window that servers count by: an account that was throttled is left alone to its end. */
const windowMs = 60_000;

export type EgressPace = { readonly pace: Pace; readonly sleep: (ms: number) => Promise<void> };

/**
 * Calls to one server in the rhythm that it takes from the hub's address, which all its tenants share: 3 000 a minute of one IP, whoever's the
 * tokens are (contract, 3.1). A wait too long is `provider.throttled`, with nothing sent. A 429 holds back the account that got it and no other:
 * it does not say whose limit it was, and one tenant must not be able to stop the others' calls. Files, wherever a webhook says they are, are
 * not counted.
 */
export function pacedEgress(egress: Pick<Egress, 'request'>, { pace, sleep }: EgressPace): Pick<Egress, 'request'> {
  return {
    async request(request) {
      const place = placeOf(request.url);
      if (place === undefined) return egress.request(request);
      // The account first: a place in the server's line that is not used would be lost to the others.
      for (const key of [place.account, place.server]) {
        const turn = pace.take(key);
        if (turn.kind === 'too_long') throw hubError('provider.throttled', { retry: { afterMs: turn.retryAfterMs, counted: false }, detail: { sent: false, by: 'own pace' } });
        if (turn.waitMs > 0) await sleep(turn.waitMs);
      }
      const reply = await egress.request(request);
      if (reply.status === 429) pace.pause(place.account, windowMs);
      return reply;
    },
  };
}

/** `cw.example.com` and `cw.example.com/77`; undefined for what is no call of an account's API. */
function placeOf(url: string): { readonly server: string; readonly account: string } | undefined {
  if (!URL.canParse(url)) return undefined;
  const { host, pathname } = new URL(url);
  const accountId = /\/api\/v1\/accounts\/(\d+)\//.exec(pathname)?.[1];
  return accountId === undefined ? undefined : { server: host, account: `${host}/${accountId}` };
}
