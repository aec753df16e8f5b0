import { describe, expect, it } from '@jest/globals';
import { createShortCache } from './create-short-cache.ts';

function cacheAt(entriesMax = 10) {
  let now = 0;
  let loads = 0;
  const cache = createShortCache<number>({ keepMs: 60_000, entriesMax, now: () => new Date(now) });
  const fresh = async () => ({ value: ++loads });
  return { cache, fresh, pass: (ms: number) => (now += ms) };
}

describe('createShortCache', () => {
  it('loads once for callers that come together, and keeps for a minute at most', async () => {
    const { cache, fresh, pass } = cacheAt();
    expect(await Promise.all([cache.load('a', fresh), cache.load('a', fresh)])).toEqual([1, 1]);
    pass(59_999);
    expect(await cache.load('a', fresh)).toBe(1);
    pass(1);
    expect(await cache.load('a', fresh)).toBe(2);
  });

  it('keeps no failure', async () => {
    const { cache, fresh } = cacheAt();
    await expect(cache.load('a', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    expect(await cache.load('a', fresh)).toBe(1);
  });

  it('does not keep what was dropped while it was being loaded', async () => {
    const { cache, fresh } = cacheAt();
    const loading = cache.load('a', fresh);
    cache.drop('a');
    expect(await loading).toBe(1);
    expect(await cache.load('a', fresh)).toBe(2);
  });

  it('keeps a value no longer than the value itself says', async () => {
    const { cache, fresh, pass } = cacheAt();
    await cache.load('a', async () => ({ value: 0, keepMs: 1_000 }));
    pass(1_000);
    expect(await cache.load('a', fresh)).toBe(1);
  });

  it('is bounded', async () => {
    const { cache, fresh } = cacheAt(2);
    for (const key of ['a', 'b', 'c']) await cache.load(key, fresh);
    expect(await cache.load('c', fresh)).toBe(3);
    expect(await cache.load('a', fresh)).toBe(4);
  });
});
