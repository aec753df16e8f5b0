import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { decideLimit, rateOf, type Bucket } from './decide-limit.ts';

/** One bucket, and how many of the requests at these moments (milliseconds) it accepts. */
function bucketOf(perMinute: number, burstSeconds = 60) {
  let bucket: Bucket | undefined;
  const ask = (now: number, rate = rateOf(perMinute, burstSeconds)) => {
    const decision = decideLimit([{ rate, bucket }], now);
    [bucket] = decision.buckets;
    return decision;
  };
  return { ask, accepted: (moments: readonly number[]) => moments.filter((now) => ask(now).kind === 'accepted').length };
}

/** Moments of a steady load from `fromMs` on. */
const steady = (perMinute: number, minutes: number, fromMs = 0) => Array.from({ length: Math.floor(perMinute * minutes) }, (_, i) => fromMs + (i * 60_000) / perMinute);

describe('a bucket', () => {
  it.each([0.9, 1, 1.01, 1.1, 1.33, 1.5, 2, 10].flatMap((load) => [1, 1.5, 2, 2.5, 7.3].map((minutes) => [load, minutes] as const)))(
    'accepts %d times its rate, steadily for %d minutes, at exactly the rate',
    (load, minutes) => {
      const allowance = Math.min(1, load) * 1_000 * minutes;
      const accepted = bucketOf(1_000).accepted(steady(1_000 * load, minutes));
      expect(accepted).toBeGreaterThanOrEqual(allowance * 0.99);
      expect(accepted).toBeLessThanOrEqual(allowance * 1.01);
    },
  );

  it("accepts a minute's worth at once, again a minute later, and refuses what is beyond", () => {
    const { accepted } = bucketOf(100);
    for (const minute of [0, 1, 2, 3]) expect(accepted(Array.from({ length: 100 }, () => minute * 60_000))).toBe(100);
    expect(accepted([180_000, 180_000, 200_000])).toBe(0);
  });

  it('has more than the rate for nobody who keeps on being refused: one an interval', () => {
    const { accepted } = bucketOf(60);
    expect(accepted(Array.from({ length: 600 }, (_, i) => i * 100))).toBe(60);
    expect(accepted(Array.from({ length: 600 }, (_, i) => 60_000 + i * 100))).toBeLessThanOrEqual(60);
    expect(accepted(Array.from({ length: 600 }, (_, i) => 120_000 + i * 100))).toBe(60);
  });

  it('gives a whole window again to who waited as long as it was told', () => {
    const { ask, accepted } = bucketOf(4);
    expect(accepted([0, 0, 0, 0])).toBe(4);
    const refusal = ask(10);
    expect(refusal).toMatchObject({ kind: 'refused', remaining: 0 });
    expect(accepted(Array.from({ length: 4 }, () => 10 + refusal.resetMs))).toBe(4);
  });

  it('says what is left and when all of it is there again', () => {
    const { ask } = bucketOf(4);
    expect(ask(0)).toMatchObject({ kind: 'accepted', remaining: 3, resetMs: 60_000 });
    expect(ask(15_000)).toMatchObject({ kind: 'accepted', remaining: 2, resetMs: 45_000 });
  });

  it('takes smaller bursts where the platform wants them smaller', () => {
    expect(bucketOf(600, 10).accepted(Array.from({ length: 600 }, () => 0))).toBe(100);
    expect(Math.abs(bucketOf(600, 1).accepted(steady(1_200, 5)) - 3_000)).toBeLessThanOrEqual(10);
    expect(bucketOf(4, 1).accepted([0, 0])).toBe(1);
  });

  it('follows a limit that is changed, and gives no new window for it', () => {
    const { ask, accepted } = bucketOf(100);
    expect(accepted(Array.from({ length: 101 }, () => 0))).toBe(100);
    const wider = rateOf(200, 60);
    expect(Array.from({ length: 150 }, () => ask(1, wider)).filter(({ kind }) => kind === 'accepted')).toHaveLength(100);
    expect(ask(2, rateOf(50, 60)).kind).toBe('refused');
    // Two gateways that know different limits for a moment take turns.
    let more = 0;
    for (let i = 0; i < 1_000; i++) if (ask(3, i % 2 === 0 ? rateOf(100, 60) : wider).kind === 'accepted') more++;
    expect(more).toBeLessThanOrEqual(150);
  });

  it('is not closed for long by a clock that was set back', () => {
    const { accepted } = bucketOf(10);
    expect(accepted(Array.from({ length: 20 }, () => 3_600_000))).toBe(10);
    expect(accepted([0])).toBe(1);
  });

  it('never accepts more than a window above the rate, whatever the load', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5_000 }), { maxLength: 400 }), (gaps) => {
        let now = 0;
        const moments = gaps.map((gap) => (now += gap));
        const accepted = bucketOf(30).accepted(moments);
        expect(accepted).toBeLessThanOrEqual(30 + (now * 30) / 60_000 + 1);
      }),
    );
  });
});

describe('two limits of one request', () => {
  it('count it in both or in none', () => {
    const rates = [rateOf(10, 60), rateOf(4, 60)] as const;
    let buckets: readonly (Bucket | undefined)[] = [undefined, undefined];
    const ask = () => {
      const decision = decideLimit(rates.map((rate, i) => ({ rate, bucket: buckets[i] })), 0);
      buckets = decision.buckets;
      return decision.kind;
    };
    expect(Array.from({ length: 8 }, ask)).toEqual([...Array.from({ length: 4 }, () => 'accepted'), ...Array.from({ length: 4 }, () => 'refused')]);
    // Four of ten are used, and not eight.
    expect(decideLimit([{ rate: rates[0], bucket: buckets[0] }], 0)).toMatchObject({ kind: 'accepted', remaining: 5 });
  });
});
