import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { createEnvKeyProvider, createFileKeyProvider, parseKeyEncryptionKeys } from './key-provider.ts';

describe('key-encryption keys', () => {
  const key = randomBytes(32);

  it('are read as hex or base64, the current one first', () => {
    const previous = randomBytes(32);
    expect(parseKeyEncryptionKeys(`${key.toString('hex')},\n ${previous.toString('base64')}\n`)).toEqual([key, previous]);
  });

  it.each(['', ' \n', 'short', randomBytes(31).toString('hex')])('are refused as %j', (text) => {
    expect(() => parseKeyEncryptionKeys(text)).toThrow(/key-encryption key/i);
  });

  it('are not repeated in the error', () => {
    expect(() => parseKeyEncryptionKeys('too-short-a-secret')).not.toThrow(/too-short-a-secret/);
  });

  it('name themselves the same in every process, from a file as from the environment', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'switchboard-kek-'));
    try {
      await writeFile(join(folder, 'kek'), `${key.toString('hex')}\n`);
      const fromFile = await createFileKeyProvider(join(folder, 'kek'));
      const fromText = createEnvKeyProvider(key.toString('base64'));
      const dataKey = randomBytes(32);
      expect(await fromText.unwrap(await fromFile.wrap(dataKey, 'acme'), 'acme')).toEqual(dataKey);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('do not unwrap another tenant\'s data key', async () => {
    const provider = createEnvKeyProvider(key.toString('hex'));
    const wrapped = await provider.wrap(randomBytes(32), 'acme');
    await expect(provider.unwrap(wrapped, 'bolt')).rejects.toMatchObject({ code: 'secret.unreadable' });
    await expect(provider.unwrap({ ...wrapped, keyId: 'ffffffffffffffff' }, 'acme')).rejects.toMatchObject({ code: 'secret.unreadable' });
  });
});
