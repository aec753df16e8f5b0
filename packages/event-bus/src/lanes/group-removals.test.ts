import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { groupRemovals } from './group-removals.ts';

describe('grouped removals', () => {
  it('gather while one is under way', async () => {
    const statements: (readonly number[])[] = [];
    const remove = groupRemovals(async (ids) => {
      statements.push([...ids]);
      await sleep(5);
    });
    const first = remove(1);
    await sleep(1);
    await Promise.all([first, remove(2), remove(3), remove(4)]);
    expect(statements).toEqual([[1], [2, 3, 4]]);
  });

  it('tell those whose statement failed, and nobody else', async () => {
    const remove = groupRemovals(async (ids) => {
      if (ids.includes(1)) throw new Error('no database');
    });
    await expect(remove(1)).rejects.toThrow('no database');
    await expect(remove(2)).resolves.toBeUndefined();
  });
});
