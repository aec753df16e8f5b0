import { describe, expect, it } from '@jest/globals';
import { asStorageError } from './storage-error.ts';

const withCode = (code: string, message = 'x'): Error => Object.assign(new Error(message), { code });

describe('an error of the database', () => {
  it.each(['08006', '53100', '53300', '57P01', '57P03', '57014', '40001', '40P01', '55P03', '25006', 'ECONNREFUSED', 'ECONNRESET'])('%s is tried again later', (code) => {
    const error = withCode(code);
    expect(asStorageError(error)).toMatchObject({ code: 'storage.unavailable', retry: 'later', cause: error });
  });

  it.each(['Connection terminated unexpectedly', 'timeout exceeded when trying to connect', 'Query read timeout'])('that pg gives no code, "%s", is tried again later', (message) => {
    expect(asStorageError(new Error(message))?.code).toBe('storage.unavailable');
  });

  it('about a statement prepared before a migration is tried again later', () => {
    expect(asStorageError(withCode('0A000', 'cached plan must not change result type'))?.code).toBe('storage.unavailable');
  });

  it.each([withCode('23505'), withCode('42501'), withCode('22P02'), withCode('42P01'), withCode('0A000', 'not supported'), new Error('no'), 'text', undefined])('about what was asked stays what it is: %s', (error) => {
    expect(asStorageError(error)).toBeUndefined();
  });
});
