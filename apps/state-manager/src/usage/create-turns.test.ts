import { describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns } from './create-turns.ts';

describe('turns', () => {
  it('come one after the other for one key, in order, and beside those of another', async () => {
    const inTurn = createTurns();
    const said: string[] = [];
    const work = (key: string, name: string, ms: number) =>
      inTurn(key, async () => {
        said.push(`${name} begins`);
        await sleep(ms);
        said.push(`${name} ends`);
      });
    await Promise.all([work('a', 'a1', 20), work('a', 'a2', 0), work('b', 'b1', 5)]);
    expect(said).toEqual(['a1 begins', 'b1 begins', 'b1 ends', 'a1 ends', 'a2 begins', 'a2 ends']);
  });

  it('go on after one that failed, whose failure nobody else hears of', async () => {
    const inTurn = createTurns();
    const outcomes = await Promise.allSettled([inTurn('a', () => Promise.reject(new Error('no'))), inTurn('a', async () => 'fine')]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
  });
});
