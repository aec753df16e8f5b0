import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { createOffsetTracker } from './offset-tracker.ts';

describe('createOffsetTracker', () => {
  it('has nothing to commit before the first record', () => {
    expect(createOffsetTracker().committable()).toBeUndefined();
  });

  it('never lets the commit pass an unfinished record, whatever order they finish in and whatever offsets are missing', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 0, max: 500 }), { minLength: 1, maxLength: 60 }), fc.infiniteStream(fc.nat()), (unordered, picks) => {
        const offsets = unordered.toSorted((a, b) => a - b);
        const tracker = createOffsetTracker();
        for (const offset of offsets) tracker.add(offset, 10);
        const open = [...offsets];
        while (open.length > 0) {
          expect(tracker.committable()).toBe(Math.min(...open));
          const [finished] = open.splice((picks.next().value as number) % open.length, 1);
          if (finished !== undefined) tracker.finish(finished);
        }
        expect(tracker.committable()).toBe((offsets.at(-1) ?? 0) + 1);
        expect(tracker.held).toEqual({ records: 0, bytes: 0 });
      }),
    );
  });
});
