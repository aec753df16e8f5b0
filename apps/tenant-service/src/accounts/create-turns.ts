/** Has what is asked for one key run one after the other, in this process; what failed holds up nobody behind it. */
export function createTurns(): <T>(key: string, fn: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (key, fn) => {
    const before = last.get(key);
    const turn = (async () => {
      await Promise.allSettled([before]);
      return await fn();
    })();
    last.set(key, turn);
    const forget = () => {
      if (last.get(key) === turn) last.delete(key);
    };
    turn.then(forget, forget);
    return await turn;
  };
}
