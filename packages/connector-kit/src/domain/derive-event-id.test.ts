import { describe, expect, it } from '@jest/globals';
import { eventIdSchema, newId } from '@switchboard/contracts';
import { deriveEventId } from './derive-event-id.ts';

describe('deriveEventId', () => {
  it('gives an event id that is the same for the same cause and name, and no other', () => {
    const cause = newId('evt');
    const ids = [deriveEventId(cause, '0'), deriveEventId(cause, '1'), deriveEventId(cause, 'status'), deriveEventId(newId('evt'), '0')];
    expect(deriveEventId(cause, '0')).toBe(ids[0]);
    expect(new Set(ids).size).toBe(ids.length);
    for (const id of ids) expect(eventIdSchema.parse(id)).toBe(id);
  });

  it('sorts with its cause by time', () => {
    const cause = newId('evt');
    expect(deriveEventId(cause, '0').slice(0, 14)).toBe(cause.slice(0, 14));
  });
});
