import { describe, expect, it } from '@jest/globals';
import { movePhases } from '@switchboard/contracts';
import fc from 'fast-check';
import { canRollBack, decideNextPhase, isEnd, type RoundFacts } from './decide-next-phase.ts';

const limits = { lagMsMax: 10_000, quietMs: 60_000 };
const calm: RoundFacts = { news: 0, tookMs: 100, quietMs: 60_000, agrees: true };

describe('the phases of a move', () => {
  it('lead from copying to done when nothing comes in between', () => {
    const seen = ['copying'];
    for (let phase: (typeof movePhases)[number] = 'copying'; !isEnd(phase) && seen.length < 20; seen.push(phase)) phase = decideNextPhase(phase, calm, limits);
    expect(seen).toEqual(['copying', 'catching_up', 'switching', 'draining', 'reconciling', 'retiring', 'done']);
  });

  it.each([
    ['catching_up', { ...calm, tookMs: 10_001 }, 'catching_up'],
    ['draining', { ...calm, quietMs: 59_999 }, 'draining'],
    ['reconciling', { ...calm, agrees: false }, 'waiting'],
    ['waiting', { ...calm, news: 1 }, 'draining'],
    ['reconciling', { ...calm, news: 1 }, 'draining'],
    ['rolling_back', { ...calm, quietMs: 0 }, 'rolling_back'],
  ] as const)('stay where the other side is not ready: %s', (phase, facts, next) => {
    expect(decideNextPhase(phase, facts, limits)).toBe(next);
  });

  it('lead to the switch also where more is written than can be copied meanwhile', () => {
    expect(decideNextPhase('catching_up', { ...calm, tookMs: 60_000, tookBeforeMs: 90_000 }, limits)).toBe('catching_up');
    expect(decideNextPhase('catching_up', { ...calm, tookMs: 90_000, tookBeforeMs: 90_000 }, limits)).toBe('switching');
  });

  it('never reach done but through counts that agree', () => {
    const facts = fc.record({ news: fc.nat(3), tookMs: fc.nat(20_000), quietMs: fc.nat(120_000), agrees: fc.boolean() });
    fc.assert(
      fc.property(fc.array(facts, { maxLength: 40 }), (rounds) => {
        let phase: (typeof movePhases)[number] = 'copying';
        const steps = rounds.map((round) => {
          const from = phase;
          phase = decideNextPhase(from, round, limits);
          return { from, to: phase, agrees: round.agrees };
        });
        const begun = steps.filter(({ from, to }) => to === 'retiring' && from !== 'retiring');
        expect(begun.filter(({ from, agrees }) => from !== 'reconciling' || !agrees)).toEqual([]);
        expect(steps.filter(({ from, to }) => to === 'done' && from !== 'retiring' && from !== 'done')).toEqual([]);
      }),
    );
  });

  it('have a way back until the old inbox goes', () => {
    expect(movePhases.filter(canRollBack)).toEqual(['copying', 'catching_up', 'switching', 'draining', 'reconciling', 'waiting']);
  });
});
