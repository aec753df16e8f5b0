import { describe, expect, it } from '@jest/globals';
import { withoutSecrets } from './without-secrets.ts';

describe('reasons that quote a provider', () => {
  it('lose the account\'s secrets wherever they stand', () => {
    expect(withoutSecrets('token abc-123 is bad: abc-123', { accessToken: 'abc-123', appSecret: 'unused' })).toBe('token … is bad: …');
  });

  it('lose a secret whole that begins with another one, and nothing for an empty one', () => {
    expect(withoutSecrets('abc-123 is bad', { short: 'abc', long: 'abc-123', empty: '' })).toBe('… is bad');
  });
});
