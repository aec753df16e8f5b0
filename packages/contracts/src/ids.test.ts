import { describe, expect, it } from '@jest/globals';
import { connectionIdSchema, newId, tenantIdSchema } from './ids.ts';

describe('ids', () => {
  it('are accepted by the schema of their prefix and by no other', () => {
    expect(connectionIdSchema.safeParse(newId('con')).success).toBe(true);
    expect(connectionIdSchema.safeParse(newId('msg')).success).toBe(false);
  });

  it('sort by the time they were made', () => {
    const early = newId('evt');
    const now = Date.now;
    Date.now = () => now() + 5_000;
    try {
      expect(newId('evt') > early).toBe(true);
    } finally {
      Date.now = now;
    }
  });
});

describe('tenant ids', () => {
  it.each(['acme', 'a1', 'acme-eu_2'])('accept %s', (id) => expect(tenantIdSchema.parse(id)).toBe(id));
  it.each(['', 'a', 'Acme', '-acme', 'a b', 'x'.repeat(64), "a'b", 'a/b'])('refuse %j', (id) => expect(tenantIdSchema.safeParse(id).success).toBe(false));
});
