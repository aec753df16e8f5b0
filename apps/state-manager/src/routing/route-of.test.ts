import { describe, expect, it } from '@jest/globals';
import { newId, type ProviderId } from '@switchboard/contracts';
import { routeOf } from './route-of.ts';

const nothing = { version: 1, timeZone: 'UTC', plan: 'starter', routes: [], connections: [] } as const;

/** Hours in which a contact at this address may be answered freely. */
function windowOf(provider: ProviderId, address: string): number | null {
  const { replyWindowMs } = routeOf({ ...nothing, routes: [], connections: [] }, { connectionId: newId('con'), provider }, address);
  return replyWindowMs === null ? null : replyWindowMs / 3_600_000;
}

describe('the time in which a contact may be answered freely', () => {
  it.each([
    ['at Meta', 'whatsapp', '15005550111', 24],
    ['at Twilio', 'twilio', 'whatsapp:+15005550111', 24],
    ['at Twilio, without a number', 'twilio', 'whatsapp:US.1234', 24],
  ] as const)('is a day on WhatsApp %s', (_, provider, address, hours) => {
    expect(windowOf(provider, address)).toBe(hours);
  });

  it.each([['twilio', '+15005550111'], ['chatwoot', 'visitor-1']] as const)('does not end at %s for %s', (provider, address) => {
    expect(windowOf(provider, address)).toBeNull();
  });
});
