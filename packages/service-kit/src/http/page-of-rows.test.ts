import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { pageOfRows, readCursor, readPositionCursor, writeCursor } from './page-of-rows.ts';

const refused = expect.objectContaining({ code: 'request.invalid' });

describe('pageOfRows', () => {
  it('shows every row of a list once, whatever the limit', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 1, max: 10 }), (length, limit) => {
        const rows = Array.from({ length }, (_, index) => index + 1);
        const seen: number[] = [];
        for (let cursor: string | undefined, more = true; more; ) {
          const after = readPositionCursor(cursor) ?? 0;
          const page = pageOfRows(rows.filter((row) => row > after).slice(0, limit + 1), limit, (row) => row);
          expect(page.data.length).toBeLessThanOrEqual(limit);
          seen.push(...page.data);
          more = page.nextCursor !== null;
          cursor = page.nextCursor ?? undefined;
        }
        expect(seen).toEqual(rows);
      }),
    );
  });
});

describe('a cursor', () => {
  it('is read back as the id or the position that was written', () => {
    fc.assert(fc.property(fc.stringMatching(/^[\w-]{1,64}$/), (id) => readCursor(writeCursor(id)) === id));
    fc.assert(fc.property(fc.nat(999_999_999), (position) => readPositionCursor(writeCursor(position)) === position));
    expect([readCursor(undefined), readPositionCursor(undefined)]).toEqual([undefined, undefined]);
  });

  it.each(['', '!', 'x', 'YQ==', 'é', writeCursor('\0'), writeCursor("a'b"), ` ${writeCursor('a')}`])('of another making is refused: %j', (cursor) => {
    expect(() => readCursor(cursor)).toThrow(refused);
    expect(() => readPositionCursor(cursor)).toThrow(refused);
  });

  it.each(['cnv_1', -1, 1.5, 1e10])('that is no position (%s) is refused where positions are', (last) => {
    expect(() => readPositionCursor(writeCursor(last))).toThrow(refused);
  });
});
