import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { closedBreaker, decideBreaker, openMs, outcomesMin, windowMs, type Breaker, type BreakerEvent } from './decide-breaker.ts';

const failed: BreakerEvent = { kind: 'failed', isProbe: false };
const succeeded: BreakerEvent = { kind: 'succeeded', isProbe: false };
const after = (events: readonly BreakerEvent[], nowMs = 1_000, breaker: Breaker = closedBreaker) => events.reduce((state, event) => decideBreaker(state, event, nowMs).breaker, breaker);
const many = (event: BreakerEvent, times: number) => Array.from({ length: times }, () => event);
const open = after(many(failed, outcomesMin));

describe('the breaker', () => {
  it('opens when half of enough requests fail, and not sooner', () => {
    expect(after(many(failed, outcomesMin - 1)).kind).toBe('closed');
    expect(open.kind).toBe('open');
    expect(after([...many(succeeded, outcomesMin), ...many(failed, outcomesMin - 1)]).kind).toBe('closed');
    expect(after([...many(succeeded, outcomesMin), ...many(failed, outcomesMin)]).kind).toBe('open');
  });

  it('forgets what is older than its window', () => {
    const old = after(many(failed, outcomesMin - 1));
    expect(after([failed], 1_000 + windowMs, old)).toMatchObject({ kind: 'closed', failed: 1 });
  });

  it('asks once when its time has come, and closes with a success, opens with a failure, asks again when nothing was learnt', () => {
    const at = 1_000 + openMs;
    expect(decideBreaker(open, { kind: 'ask' }, at - 1).answer).toBe('refuse');
    const tried = decideBreaker(open, { kind: 'ask' }, at);
    expect([tried.answer, decideBreaker(tried.breaker, { kind: 'ask' }, at).answer]).toEqual(['probe', 'refuse']);
    expect(after([{ kind: 'succeeded', isProbe: true }], at, tried.breaker).kind).toBe('closed');
    expect(after([{ kind: 'failed', isProbe: true }], at, tried.breaker)).toEqual({ kind: 'open', untilMs: at + openMs });
    expect(decideBreaker(after([{ kind: 'abandoned', isProbe: true }], at, tried.breaker), { kind: 'ask' }, at).answer).toBe('probe');
  });

  const event = fc.oneof(fc.constant<BreakerEvent>({ kind: 'ask' }), fc.record({ kind: fc.constantFrom('succeeded' as const, 'failed' as const, 'abandoned' as const), isProbe: fc.boolean() }));
  const history = fc.array(fc.record({ event, waitMs: fc.integer({ min: 0, max: openMs }) }), { maxLength: 300 });

  it('lets at most one request through in any two seconds while it is not closed', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let breaker: Breaker = after(many(failed, outcomesMin), 0);
        let now = 0;
        const probes: number[] = [];
        const answers = new Set<string>();
        for (const step of steps) {
          now += step.waitMs;
          // The outcome of a probe settles it: what is looked at here is silence and the outcomes of older requests.
          if (step.event.kind !== 'ask' && step.event.isProbe) continue;
          const decision = decideBreaker(breaker, step.event, now);
          breaker = decision.breaker;
          expect(breaker.kind).not.toBe('closed');
          if (step.event.kind === 'ask') answers.add(decision.answer);
          if (step.event.kind === 'ask' && decision.answer === 'probe') probes.push(now);
        }
        expect(answers).not.toContain('pass');
        expect(probes.slice(1).every((at, index) => at - (probes[index] ?? 0) >= openMs)).toBe(true);
      }),
    );
  });

  it('is closed again by one successful probe, whatever went before', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let breaker: Breaker = closedBreaker;
        let now = 0;
        for (const step of steps) breaker = decideBreaker(breaker, step.event, (now += step.waitMs)).breaker;
        const asked = decideBreaker(breaker, { kind: 'ask' }, now + openMs);
        expect(asked.answer).not.toBe('refuse');
        expect(decideBreaker(asked.breaker, { kind: 'succeeded', isProbe: asked.answer === 'probe' }, now + openMs).breaker.kind).toBe('closed');
      }),
    );
  });
});
