import { hubError } from '@switchboard/contracts';

export interface Turns {
  /** Runs `work` when there is room for it. Rejects with `service.unavailable` when too much waits already. */
  take<T>(work: () => Promise<T>): Promise<T>;
}

/** At most `atOnceMax` works at the same time, and `waitingMax` that wait, first come, first served. */
export function createTurns({ atOnceMax, waitingMax }: { readonly atOnceMax: number; readonly waitingMax: number }): Turns {
  const waiting: (() => void)[] = [];
  let underWay = 0;
  return {
    async take(work) {
      if (underWay < atOnceMax) underWay++;
      else if (waiting.length < waitingMax) await new Promise<void>((resolve) => waiting.push(resolve));
      else throw hubError('service.unavailable');
      try {
        return await work();
      } finally {
        // The place is handed on, so that nobody comes between.
        const next = waiting.shift();
        if (next === undefined) underWay--;
        else next();
      }
    },
  };
}
