import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { hubError } from '@switchboard/contracts';
import { associate, decrypt, encrypt, keyLength } from './aead.ts';
import type { KeyProvider } from './port.ts';

/** Key-encryption keys given as text (`KEY_ENCRYPTION_KEY`); form as for `parseKeyEncryptionKeys`. */
export function createEnvKeyProvider(text: string): KeyProvider {
  return createLocalKeyProvider(parseKeyEncryptionKeys(text));
}

/** Key-encryption keys read from a file (`KEY_ENCRYPTION_KEY_FILE`) when the service starts. */
export async function createFileKeyProvider(path: string): Promise<KeyProvider> {
  return createLocalKeyProvider(parseKeyEncryptionKeys(await readFile(path, 'utf8')));
}

/**
 * Keys of 32 bytes as 64 hex digits or base64, separated by commas or white space. The first wraps; the others only unwrap what they
 * wrapped before, until everything is wrapped again (`rewrapDataKeys`). Throws an Error that says what is wrong without the key.
 */
export function parseKeyEncryptionKeys(text: string): [Buffer, ...Buffer[]] {
  const [first, ...rest] = text.split(/[\s,]+/).filter((part) => part !== '').map(parseKey);
  if (first === undefined) throw new Error('No key-encryption key: give 32 random bytes as 64 hex digits or base64 (openssl rand -hex 32).');
  return [first, ...rest];
}

function parseKey(text: string): Buffer {
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, 'hex') : Buffer.from(text, 'base64');
  if (key.length !== keyLength) throw new Error(`A key-encryption key must be ${keyLength} bytes as 64 hex digits or base64; one of ${key.length} bytes was given.`);
  return key;
}

function createLocalKeyProvider(keys: readonly [Buffer, ...Buffer[]]): KeyProvider {
  const byId = new Map(keys.map((key) => [idOf(key), key]));
  const currentKeyId = idOf(keys[0]);
  return {
    currentKeyId: async () => currentKeyId,
    owns: (keyId) => byId.has(keyId),
    wrap: async (dataKey, tenantId) => ({ keyId: currentKeyId, wrapped: encrypt(keys[0], dataKey, associateWith(currentKeyId, tenantId)) }),
    async unwrap({ keyId, wrapped }, tenantId) {
      const key = byId.get(keyId);
      if (key === undefined) throw hubError('secret.unreadable', { detail: { reason: 'unknown key-encryption key', keyId } });
      return decrypt(key, wrapped, associateWith(keyId, tenantId));
    },
  };
}

/** A hash names the key without telling anything of its 256 random bits; derived, so that every process gives it the same name. */
function idOf(key: Buffer): string {
  return createHash('sha256').update('switchboard key-encryption key').update(key).digest('hex').slice(0, 16);
}

function associateWith(keyId: string, tenantId: string): Buffer {
  return associate('switchboard data key', keyId, tenantId);
}
