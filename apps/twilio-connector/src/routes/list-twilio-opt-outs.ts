import { listTwilioOptOuts, type TwilioOptOut } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { OptOutPlace, OptOuts } from '../store/opt-outs.ts';

export function listTwilioOptOutsRoute(optOuts: OptOuts): Route {
  return defineRoute(listTwilioOptOuts, async ({ query: { connectionId, cursor, limit } }) => {
    const found = await optOuts.list({ connectionId }, readPlace(cursor), limit + 1);
    return pageOfRows(found, limit, writePlace);
  });
}

function writePlace({ at, sender, address }: TwilioOptOut): string {
  return `${Date.parse(at)} ${sender} ${address}`;
}

/** Milliseconds since 1970, the tenant's sender and the contact's address: the sender has no space, and none a character that Postgres refuses. */
const place = /^(\d{1,14}) ([!-~]{0,64}) ([ -~]{1,256})$/;

function readPlace(cursor: string | undefined): OptOutPlace | undefined {
  const [, milliseconds, sender, address] = place.exec(readCursor(cursor, place) ?? '') ?? [];
  return milliseconds === undefined || sender === undefined || address === undefined ? undefined : { at: new Date(Number(milliseconds)), sender, address };
}
