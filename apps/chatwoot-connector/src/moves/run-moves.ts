import { isHubError, type HubError } from '@switchboard/contracts';
import type { BusLog } from '@switchboard/event-bus';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { randomUUID } from 'node:crypto';
import type { AccountMove } from '../store/moves.ts';
import { MoveInterrupted, retire, runRound } from './run-round.ts';
import type { MoveDeps, MoveWork } from './move-work.ts';

export type RunnerOptions = {
  readonly deps: MoveDeps;
  /** Runs a round with both connections; what it throws has lost their secrets. */
  readonly withSides: <T>(move: AccountMove, round: (sides: Pick<MoveWork, 'from' | 'to'>) => Promise<T>) => Promise<T>;
  readonly log: BusLog;
  /** Between two looks for a move that waits: that long after a crash, and the lease before it, another process goes on. */
  readonly pollMs: number;
  readonly leaseMs: number;
};

/** Moves that one process works on at once. */
const movesAtOnce = 2;
/** Failures one after the other, with pauses up to a minute between them: about half an hour, then somebody has to look. */
const failuresMax = 30;
const backoffMaxMs = 60_000;

export interface MoveRunner {
  start(): void;
  /** Ends what runs, between two messages. */
  stop(): Promise<void>;
  /** Looks at once. */
  wake(): void;
}

/**
 * Works on the moves that are due, one process at a move: whoever holds its lease. A loop and not the clock's tasks, which run once a minute in one process:
 * a move works for hours in small rounds, must go on seconds after its process died, and several run beside each other.
 */
export function createMoveRunner({ deps, withSides, log, pollMs, leaseMs }: RunnerOptions): MoveRunner {
  const stopping = new AbortController();
  let wakeUp: () => void = () => undefined;
  let loops: Promise<void>[] = [];

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      const hadWork = await workOnce().catch((error: unknown) => {
        // The store is away: the next look finds it again.
        log.warn({ err: error }, 'moves of accounts could not be looked for');
        return false;
      });
      if (!hadWork && !stopping.signal.aborted) await idle();
    }
  }

  function idle(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pollMs).unref();
      wakeUp = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function workOnce(): Promise<boolean> {
    const owner = randomUUID();
    const due = await deps.moves.takeDue(owner, leaseMs);
    if (due === undefined) return false;
    await runAsTenant(due.tenantId, async () => {
      try {
        const move = await deps.moves.findOpen();
        if (move?.moveId === due.moveId) await workOn(move, owner);
      } finally {
        await deps.moves.release(due.moveId, owner);
      }
    });
    return true;
  }

  async function workOn(move: AccountMove, owner: string): Promise<void> {
    const lost = new AbortController();
    const heartbeat = setInterval(() => {
      deps.moves.renew(move, owner, leaseMs).then((holds) => holds || lost.abort(new MoveInterrupted()), () => undefined);
    }, leaseMs / 3).unref();
    const stopped = () => lost.abort(new MoveInterrupted());
    stopping.signal.addEventListener('abort', stopped);
    try {
      const change = move.phase === 'retiring' ? await retire(move, deps) : await withSides(move, (sides) => runRound({ ...sides, move, owner, signal: lost.signal }, deps));
      const changed = await deps.moves.change(move.moveId, { error: null, failures: 0, ...change }, { owner, phases: [move.phase], states: ['running'] });
      if (changed !== undefined && changed.phase !== move.phase) log.info({ tenantId: currentTenant(), moveId: move.moveId, from: move.phase, to: changed.phase }, 'a move of accounts goes on');
    } catch (error) {
      if (error instanceof MoveInterrupted) return;
      await noteFailure(move, owner, error);
    } finally {
      stopping.signal.removeEventListener('abort', stopped);
      clearInterval(heartbeat);
    }
  }

  async function noteFailure(move: AccountMove, owner: string, error: unknown): Promise<void> {
    log.warn({ err: error, tenantId: currentTenant(), moveId: move.moveId, phase: move.phase }, 'a round of a move of accounts failed');
    const now = deps.now();
    const { code, publicMessage, retry } = isHubError(error) ? error : unknownFailure;
    const isCounted = code !== 'provider.throttled' && (typeof retry !== 'object' || retry.counted !== false);
    const failures = move.failures + (isCounted ? 1 : 0);
    const afterMs = typeof retry === 'object' ? retry.afterMs : Math.min(backoffMaxMs, 500 * 2 ** failures);
    const isOver = retry === 'never' || failures >= failuresMax;
    await deps.moves.change(move.moveId, { error: { code, message: publicMessage, at: now }, failures, nextAt: new Date(now.getTime() + afterMs), ...(isOver && { state: 'failed' }) }, { owner, phases: [move.phase], states: ['running'] });
  }

  return {
    start() {
      loops = Array.from({ length: movesAtOnce }, loop);
    },
    async stop() {
      stopping.abort();
      wakeUp();
      await Promise.all(loops);
    },
    wake: () => wakeUp(),
  };
}

/** A defect: it will not mend itself, but the move can be resumed. */
const unknownFailure: Pick<HubError, 'code' | 'publicMessage' | 'retry'> = { code: 'internal', publicMessage: 'The move met a defect of the hub; the log says which.', retry: 'never' };
