import { describe, expect, it } from '@jest/globals';
import { messageIdSchema } from '../../packages/contracts/src/index.ts';
import { deriveId } from './derive-id.ts';

const at = new Date('2026-01-01T00:00:00Z');

describe('an id that follows from an old one', () => {
  it('is the same each time, of the hub\'s form, and sorts by the old time', () => {
    const id = deriveId('msg', at, 'acme', '1');
    expect(deriveId('msg', at, 'acme', '1')).toBe(id);
    expect(messageIdSchema.parse(id)).toBe(id);
    expect(deriveId('msg', new Date(at.getTime() + 1), 'acme', '0') > id).toBe(true);
  });

  it('is another one for another tenant, and for names that only look alike when joined', () => {
    expect(new Set([deriveId('msg', at, 'acme', '1'), deriveId('msg', at, 'globex', '1'), deriveId('msg', at, 'acme1', ''), deriveId('msg', at, 'acme,1')]).size).toBe(4);
  });
});
