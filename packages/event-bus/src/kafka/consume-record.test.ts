import { describe, expect, it } from '@jest/globals';
import type { ConsumeEvent, Outcome } from '../consume-event.ts';
import { createRecordWork } from './consume-record.ts';
import type { ParkedLanes } from './parked-lanes.ts';

const error = { code: 'provider.unavailable', message: 'down' };
const event = { tenantId: 'acme', group: 'group', orderingKey: 'k', envelope: {} };

/** The work of one record whose consumer ends in `outcome`; what it wrote down, and how often it was run until it asked for no other try. */
async function runRecord({ outcome, revokedMeanwhile, lanes = [] }: { outcome: Outcome; revokedMeanwhile: boolean; lanes?: readonly string[] }): Promise<{ written: string[]; runs: number }> {
  const written: string[] = [];
  let revoked = false;
  const note = (what: string) => async () => void written.push(what);
  const parking: ParkedLanes = { load: async () => new Set(), park: note('parked'), follow: async () => (written.push('followed'), true), bury: note('buried') };
  const consume: ConsumeEvent = async () => {
    revoked = revokedMeanwhile;
    return outcome;
  };
  const parked = async (): Promise<Set<string>> => {
    if (lanes.length > 0) revoked = revokedMeanwhile;
    return new Set(lanes);
  };
  const log = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const record = { message: { key: null, value: null, timestamp: '', attributes: 0, offset: '0', headers: {} }, isRevoked: () => revoked, finish: () => void written.push('finished') };
  const parts = { group: 'group', consume, parking, parked, signal: new AbortController().signal, figures: { inFlight: 0, handled: 0, failed: 0, retried: 0 }, log };
  const work = createRecordWork(parts, record, event);
  let runs = 1;
  while (runs < 10 && (await work()) !== undefined) runs++;
  return { runs, written };
}

describe('a record whose partition goes to another process while it is handled', () => {
  it.each([
    ['parked', { kind: 'retry', afterMs: 5_000, attempts: 1, error }],
    ['buried', { kind: 'dead', error }],
  ] as const)('is not %s by the old owner: the new one has it', async (what, outcome) => {
    expect((await runRecord({ outcome, revokedMeanwhile: false })).written).toContain(what);
    expect((await runRecord({ outcome, revokedMeanwhile: true })).written).not.toContain(what);
  });

  it('does not follow its parked lane', async () => {
    const outcome: Outcome = { kind: 'done', settled: true };
    expect((await runRecord({ outcome, revokedMeanwhile: false, lanes: ['acme k'] })).written).toContain('followed');
    expect((await runRecord({ outcome, revokedMeanwhile: true, lanes: ['acme k'] })).written).not.toContain('followed');
  });
});

describe('a record that is throttled', () => {
  it('does not hold back the commit of its partition by being tried in the process without end', async () => {
    expect(await runRecord({ outcome: { kind: 'retry', afterMs: 10, attempts: 0, error }, revokedMeanwhile: false })).toEqual({ runs: 2, written: ['parked', 'finished'] });
  });
});
