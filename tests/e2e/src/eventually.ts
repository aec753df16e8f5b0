import { setTimeout as sleep } from 'node:timers/promises';

/** Looks until there is something to see. Throws with what was waited for. */
export async function eventually<T>(what: string, look: () => Promise<T | undefined> | T | undefined, timeoutMs = 20_000): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (let pauseMs = 20; Date.now() < until; pauseMs = Math.min(pauseMs * 1.4, 500)) {
    const found = await look();
    if (found !== undefined) return found;
    await sleep(pauseMs);
  }
  throw new Error(`after ${timeoutMs} ms still waiting for ${what}`);
}

/** Time for something that must not happen to happen: a few hops' worth. */
export const quietMs = 1_500;
export { sleep };
