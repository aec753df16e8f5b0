import { beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type MessageSend } from '@switchboard/contracts';
import { createPace, type Pace } from '../domain/create-pace.ts';
import { commandOf } from '../testing/describe-rendering.ts';
import type { ConnectorDeps } from './connector-deps.ts';
import { waitForTurn } from './wait-for-turn.ts';

let pace: Pace;
let pairPace: Pace;
let slept: number[];

const connectionId = newId('con');
const to = (address: string): MessageSend => ({ ...commandOf({ kind: 'text', text: 'hi' }, address), connectionId });
// The cast is safe: waiting uses the paces and the clock alone.
const wait = (command: MessageSend, settings: Record<string, string> = {}) => waitForTurn(command, { settings }, { pace, pairPace, sleep: async (ms: number) => void slept.push(ms) } as unknown as ConnectorDeps);

beforeEach(() => {
  const now = () => new Date(1_000_000);
  slept = [];
  pace = createPace({ perMinute: 60, burst: 2, waitMaxMs: 0, now });
  pairPace = createPace({ perMinute: 10, burst: 1, waitMaxMs: 0, onlyAfterPause: true, now });
});

describe('waiting for a turn', () => {
  it('of a contact that is held back uses up nothing of the connection\'s rate', async () => {
    pairPace.pause(`${connectionId}:slow`, 6_000);
    for (let i = 0; i < 10; i++) await expect(wait(to('slow'))).rejects.toMatchObject({ code: 'provider.throttled', retry: { afterMs: 6_000 } });
    await wait(to('other'));
    await wait(to('another'));
    expect(slept).toEqual([]);
  });

  it('of the connection uses up nothing of the contact\'s rate', async () => {
    pairPace = createPace({ perMinute: 10, burst: 1, waitMaxMs: 60_000, onlyAfterPause: true, now: () => new Date(1_000_000) });
    pairPace.pause(`${connectionId}:a`, 1_000);
    pace.pause(connectionId, 5_000);
    for (let i = 0; i < 3; i++) await expect(wait(to('a'))).rejects.toMatchObject({ retry: { afterMs: 5_000 } });
    expect(slept).toEqual([1_000, 1_000, 1_000]);
  });

  it('of the connection is slept through', async () => {
    pace = createPace({ perMinute: 60, burst: 2, waitMaxMs: 5_000, now: () => new Date(1_000_000) });
    for (const address of ['a', 'b', 'c', 'd']) await wait(to(address));
    expect(slept).toEqual([1_000, 2_000]);
  });

  it.each([
    [{ callsPerMinute: '600' }, 100],
    [{ callsPerMinute: '30' }, 2_000],
    [{ callsPerMinute: '0' }, 1_000],
    [{ callsPerMinute: 'many' }, 1_000],
  ])('comes at the rate of the connection\'s own settings: %j', async (settings, everyMs) => {
    pace = createPace({ perMinute: 60, burst: 1, waitMaxMs: 5_000, now: () => new Date(1_000_000) });
    for (const address of ['a', 'b', 'c']) await wait(to(address), settings);
    expect(slept).toEqual([everyMs, 2 * everyMs]);
  });

  it('is no attempt of a message that was never tried', async () => {
    pace.pause(connectionId, 5_000);
    await expect(wait(to('a'))).rejects.toMatchObject({ retry: { afterMs: 5_000, counted: false }, detail: { sent: false } });
  });
});
