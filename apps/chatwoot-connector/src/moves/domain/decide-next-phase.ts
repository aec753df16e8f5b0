import type { MovePhase } from '@switchboard/contracts';

/** What a round of work in a phase ended with. */
export type RoundFacts = {
  /** Messages that were copied, conversations and mappings that were replaced, deliveries to the source that are under way. */
  readonly news: number;
  /** How long the round took: what came since its begin is not copied yet. */
  readonly tookMs: number;
  /** The round of the same phase before it; undefined for the first one. */
  readonly tookBeforeMs?: number | undefined;
  /** Since there was anything new. */
  readonly quietMs: number;
  /** Both sides hold the same; undefined where nobody counted. */
  readonly agrees?: boolean;
};

export type PhaseLimits = {
  /** The switch waits until a round of catching up is this short, as long as they become shorter: a conversation's messages wait for its copying right after it. */
  readonly lagMsMax: number;
  /** Without anything new for so long, nothing is on its way to the old inbox any more. */
  readonly quietMs: number;
};

/** The phase after a round of work, the same one for another round. What a person orders (pause, rollback, retire) is not decided here. */
export function decideNextPhase(phase: MovePhase, facts: RoundFacts, limits: PhaseLimits): MovePhase {
  switch (phase) {
    case 'copying':
      return 'catching_up';
    case 'catching_up':
      return facts.tookMs <= limits.lagMsMax || facts.tookMs >= (facts.tookBeforeMs ?? Infinity) ? 'switching' : 'catching_up';
    case 'switching':
      return 'draining';
    case 'draining':
      return facts.quietMs >= limits.quietMs ? 'reconciling' : 'draining';
    case 'reconciling':
      if (facts.agrees !== true) return 'waiting';
      // Something came while they were counted.
      return facts.news > 0 ? 'draining' : 'retiring';
    case 'waiting':
      return facts.news > 0 ? 'draining' : 'waiting';
    case 'retiring':
      return 'done';
    case 'rolling_back':
      return facts.quietMs >= limits.quietMs ? 'rolled_back' : 'rolling_back';
    case 'done':
    case 'rolled_back':
      return phase;
  }
}

/** Until the old inbox is retired there is a way back. */
export function canRollBack(phase: MovePhase): boolean {
  return phase !== 'retiring' && phase !== 'rolling_back' && !isEnd(phase);
}

export function isEnd(phase: MovePhase): boolean {
  return phase === 'done' || phase === 'rolled_back';
}
