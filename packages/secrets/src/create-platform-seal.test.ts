import { describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { createPlatformSeal } from './create-platform-seal.ts';
import { createEnvKeyProvider } from './key-provider.ts';

const keyText = randomBytes(32).toString('base64');
const provider = createEnvKeyProvider(keyText);
const seal = createPlatformSeal(provider);
const place = { table: 'signing_keys', column: 'wrapped', row: 'key-1' };
const secret = randomBytes(32);

describe("a platform's secret", () => {
  it('opens where it was sealed', async () => {
    expect(await seal.open(await seal.seal(secret, place), place)).toEqual(secret);
  });

  it('does not open in another row, with a bit changed, or under another key', async () => {
    const sealed = await seal.seal(secret, place);
    await expect(seal.open(sealed, { ...place, row: 'key-2' })).rejects.toMatchObject({ code: 'secret.unreadable' });
    const wrapped = Buffer.from(sealed.wrapped);
    wrapped[20]! ^= 1;
    await expect(seal.open({ ...sealed, wrapped }, place)).rejects.toMatchObject({ code: 'secret.unreadable' });
    await expect(createPlatformSeal(createEnvKeyProvider(randomBytes(32).toString('hex'))).open(sealed, place)).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('is no data key of a tenant, nor the other way round', async () => {
    await expect(provider.unwrap(await seal.seal(secret, place), 'platform')).rejects.toMatchObject({ code: 'secret.unreadable' });
    await expect(seal.open(await provider.wrap(secret, 'platform'), place)).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('has the length that every key provider wraps', async () => {
    await expect(seal.seal(randomBytes(31), place)).rejects.toMatchObject({ code: 'internal' });
  });
});
