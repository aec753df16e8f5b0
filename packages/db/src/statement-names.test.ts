import { describe, expect, it } from '@jest/globals';
import { createStatementNames } from './statement-names.ts';

describe('names of prepared statements', () => {
  it('are the same for a text that comes again, and differ between texts', () => {
    const nameOf = createStatementNames(10, () => 0);
    expect(nameOf('select 1')).toBe(nameOf('select 1'));
    expect(nameOf('select 1')).not.toBe(nameOf('select 2'));
  });

  it('change as the installation grows up, so that plans made for empty tables are not kept', () => {
    let nowMs = 0;
    const nameOf = createStatementNames(10, () => nowMs);
    const names = new Set<string | undefined>();
    for (nowMs = 0; nowMs <= 600_000; nowMs += 1_000) names.add(nameOf('select 1'));
    expect(names.size).toBe(7);
  });

  it('are not given beyond the bound: the server keeps every named statement', () => {
    const nameOf = createStatementNames(2, () => 0);
    expect([nameOf('a'), nameOf('b'), nameOf('c')]).toEqual([expect.any(String), expect.any(String), undefined]);
  });
});
