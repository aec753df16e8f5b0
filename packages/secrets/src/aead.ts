import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { hubError } from '@switchboard/contracts';

/** Bytes, fixed by AES-256-GCM (NIST SP 800-38D recommends the 96-bit nonce and the full tag). */
export const keyLength = 32;
export const nonceLength = 12;
export const tagLength = 16;

/**
 * AES-256-GCM with a random nonce: nonce, ciphertext, tag. A random 96-bit nonce is safe for 2^32 seals under one key, far more than
 * the credentials of one tenant.
 */
export function encrypt(key: Buffer, plaintext: Buffer, associated: Buffer): Buffer {
  const nonce = randomBytes(nonceLength);
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagLength });
  cipher.setAAD(associated);
  return Buffer.concat([nonce, cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

/** Throws `secret.unreadable` unless key, bytes and associated data are those of `encrypt`. */
export function decrypt(key: Buffer, sealed: Buffer, associated: Buffer): Buffer {
  if (sealed.length < nonceLength + tagLength) throw hubError('secret.unreadable', { detail: { reason: 'too short' } });
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, nonceLength), { authTagLength: tagLength });
  decipher.setAAD(associated);
  decipher.setAuthTag(sealed.subarray(sealed.length - tagLength));
  const start = decipher.update(sealed.subarray(nonceLength, sealed.length - tagLength));
  try {
    return Buffer.concat([start, decipher.final()]);
  } catch (cause) {
    throw hubError('secret.unreadable', { detail: { reason: 'changed, moved, or under another key' }, cause });
  }
}

/** Joins names to bytes so that no two lists of names give the same bytes. */
export function associate(...names: readonly string[]): Buffer {
  return Buffer.from(JSON.stringify(names), 'utf8');
}
