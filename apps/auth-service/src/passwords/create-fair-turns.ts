import { hubError } from '@switchboard/contracts';

export interface FairTurns {
  /** Runs `work` when it is the turn of `holder`. Rejects with `service.unavailable` when too much waits, and most of it is theirs. */
  take<T>(holder: string, work: () => Promise<T>): Promise<T>;
}

type Waiting = { readonly goOn: () => void; readonly giveUp: (error: Error) => void };

/**
 * At most `concurrentMax` works at a time, and `waitingMax` that wait. Holders are served in turn, and where the line is full, whoever has most
 * in it loses their last: one that floods waits for itself.
 */
export function createFairTurns({ concurrentMax, waitingMax }: { readonly concurrentMax: number; readonly waitingMax: number }): FairTurns {
  // In the order of their turns. No line is empty: holders come and go, the map must not grow.
  const lines = new Map<string, Waiting[]>();
  let waiting = 0;
  let running = 0;

  function wait(holder: string): Promise<void> {
    return new Promise((goOn, giveUp) => {
      const line = lines.get(holder);
      if (line === undefined) lines.set(holder, [{ goOn, giveUp }]);
      else line.push({ goOn, giveUp });
      waiting += 1;
      if (waiting > waitingMax) sendOneAway();
    });
  }

  function sendOneAway(): void {
    let longest: [string, Waiting[]] | undefined;
    // Of equals the one that came last.
    for (const each of lines) if (longest === undefined || each[1].length >= longest[1].length) longest = each;
    const last = longest?.[1].pop();
    if (longest?.[1].length === 0) lines.delete(longest[0]);
    waiting -= 1;
    last?.giveUp(hubError('service.unavailable', { publicMessage: 'Too many people log in at the moment; try again in a few seconds.', retry: { afterMs: 3_000 } }));
  }

  /** Whoever is next takes the place over; only without them it becomes free. */
  function leave(): void {
    const [next] = lines;
    if (next === undefined) {
      running -= 1;
      return;
    }
    const [holder, line] = next;
    const first = line.shift();
    lines.delete(holder);
    if (line.length > 0) lines.set(holder, line);
    waiting -= 1;
    first?.goOn();
  }

  return {
    async take(holder, work) {
      if (running >= concurrentMax) await wait(holder);
      else running += 1;
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
