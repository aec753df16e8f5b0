import { describe, expect, it } from '@jest/globals';
import { hubError } from '@switchboard/contracts';
import type { UnknownAccount } from '../store/unknown-accounts.ts';
import { createUnknownAccounts } from './create-unknown-accounts.ts';

function world() {
  const written: (readonly UnknownAccount[])[] = [];
  const state = { isAway: false, ms: 0 };
  const unknown = createUnknownAccounts({
    store: {
      add: async (accounts) => {
        if (state.isAway) throw hubError('storage.unavailable');
        written.push(accounts);
      },
    },
    log: { warn: () => undefined },
    now: () => new Date(state.ms),
  });
  return { written, state, unknown };
}
const named = (...values: readonly (string | number)[]) => values.map((value) => ({ name: 'accountSid', value: String(value) }));

describe('accounts that nobody has connected', () => {
  it('are counted in memory and written down in one go, with when they were heard of first and last', async () => {
    const { written, state, unknown } = world();
    unknown.note('twilio', named('a', 'a'));
    state.ms = 1_000;
    unknown.note('twilio', named('a', 'b'));
    await Promise.all([unknown.flush(), unknown.flush()]);
    await unknown.flush();
    expect(written).toEqual([
      [
        { provider: 'twilio', account: 'accountSid:a', count: 2, firstAt: '1970-01-01T00:00:00.000Z', lastAt: '1970-01-01T00:00:01.000Z' },
        { provider: 'twilio', account: 'accountSid:b', count: 1, firstAt: '1970-01-01T00:00:01.000Z', lastAt: '1970-01-01T00:00:01.000Z' },
      ],
    ]);
  });

  it('are few at a time and of one webhook, however many a stranger makes up', async () => {
    const { written, unknown } = world();
    unknown.note('whatsapp', named(...Array.from({ length: 100 }, (_, index) => `w${index}`)));
    await unknown.flush();
    expect(written[0]).toHaveLength(10);
    for (let index = 0; index < 5_000; index++) unknown.note('twilio', named(index));
    for (let time = 0; time < 10; time++) await unknown.flush();
    expect(written.slice(1).map(({ length }) => length)).toEqual([200, 200, 200, 200, 200]);
    expect(written.at(-1)?.at(-1)?.account).toBe('accountSid:4999');
  });

  it('wait while they cannot be written, and are counted on', async () => {
    const { written, state, unknown } = world();
    unknown.note('twilio', named('a'));
    state.isAway = true;
    await unknown.flush();
    unknown.note('twilio', named('a'));
    state.isAway = false;
    await unknown.stop();
    expect(written.flat()).toMatchObject([{ account: 'accountSid:a', count: 2 }]);
  });
});
