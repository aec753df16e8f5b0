/**
 * Runs what has the same key one after the other, in the order asked for; other keys are not waited for. A failure is its caller's alone.
 * Within this process: what must hold across processes is held by the database.
 */
export function createTurns(): <T>(key: string, fn: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, fn) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(fn, fn);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
