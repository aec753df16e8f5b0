import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createGroupedWork, type GroupedWorkOptions } from './create-grouped-work.ts';

function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open, opened };
}

const make = (run: GroupedWorkOptions<string>['run'], more: Partial<GroupedWorkOptions<string>> = {}) =>
  createGroupedWork({ run, groupsAtOnceMax: 1, itemsMax: 4, weightOf: (item) => item.length, weightMax: 100, waitingWeightMax: 200, timeoutMs: 1_000, ...more });

describe('grouped work', () => {
  it('makes one group of what comes together, and one of what comes while it runs', async () => {
    const groups: (readonly string[])[] = [];
    const { open, opened } = gate();
    const work = make(async (items) => {
      groups.push(items);
      if (groups.length === 1) await opened;
    });
    const first = [work.submit(['a']), work.submit(['b', 'c'])];
    await sleep(5);
    const second = [work.submit(['d']), work.submit(['e'])];
    await sleep(5);
    expect(groups).toEqual([['a', 'b', 'c']]);
    open();
    await Promise.all([...first, ...second]);
    expect(groups).toEqual([['a', 'b', 'c'], ['d', 'e']]);
  });

  it('keeps the items of one caller together and groups within bounds', async () => {
    const groups: (readonly string[])[] = [];
    const work = make(async (items) => void groups.push(items));
    await Promise.all([work.submit(['a', 'b', 'c']), work.submit(['d', 'e']), work.submit(['f'.repeat(99)]), work.submit(['g', 'h', 'i', 'j', 'k', 'l'])]);
    expect(groups).toEqual([['a', 'b', 'c'], ['d', 'e'], ['f'.repeat(99)], ['g', 'h', 'i', 'j', 'k', 'l']]);
  });

  it('tells everyone of a group what went wrong, and goes on', async () => {
    let fails = true;
    const work = make(async () => {
      if (fails) throw new Error('no disk');
    });
    expect(await Promise.allSettled([work.submit(['a']), work.submit(['b'])])).toMatchObject([{ status: 'rejected' }, { status: 'rejected' }]);
    fails = false;
    await expect(work.submit(['c'])).resolves.toBeUndefined();
  });

  it('says unavailable after the time is up, and is not held up by work that never ends', async () => {
    const groups: (readonly string[])[] = [];
    const { open, opened } = gate();
    const work = make(
      async (items) => {
        groups.push(items);
        await opened;
      },
      { timeoutMs: 20 },
    );
    const refused = { status: 'rejected', reason: { code: 'storage.unavailable' } };
    expect(await Promise.allSettled([work.submit(['a'])])).toMatchObject([refused]);
    expect(groups).toEqual([['a']]);
    open();
    await work.submit(['c']);
    expect(groups).toEqual([['a'], ['c']]);
  });

  it('refuses at once what would pile up too high', async () => {
    const { open, opened } = gate();
    const work = make(() => opened);
    const running = work.submit(['a']);
    await sleep(5);
    const waiting = work.submit(['b'.repeat(150)]);
    await expect(work.submit(['c'.repeat(60)])).rejects.toMatchObject({ code: 'storage.unavailable' });
    open();
    await Promise.all([running, waiting]);
  });

  it('is drained when nothing waits or runs', async () => {
    const done: string[] = [];
    const work = make(async (items) => {
      await sleep(5);
      done.push(...items);
    });
    void work.submit(['a']);
    void work.submit(['b', 'c', 'd', 'e']);
    await work.drained();
    expect(done).toEqual(['a', 'b', 'c', 'd', 'e']);
  });
});
