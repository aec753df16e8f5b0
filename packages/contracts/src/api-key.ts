import type { ApiKeyId } from './ids.ts';

/**
 * The form of an API key: `sk_`, the 26 characters of its id, 43 base-62 characters of secret (256 bits), 6 of checksum. The checksum is
 * no protection: it tells a typo, a cut-off copy or garbage apart from a key before anybody asks a database.
 */

const prefix = 'sk_';
const idLength = 26;
const secretLength = 43;
const checksumLength = 6;
const base62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const keyPattern = new RegExp(`^${prefix}[0-9a-z]{${idLength}}[0-9A-Za-z]{${secretLength + checksumLength}}$`);

/** Characters of an API key. */
export const apiKeyLength = prefix.length + idLength + secretLength + checksumLength;

type RandomBytes = (length: number) => Uint8Array;

/** A new key for this id. Its text is shown once and kept nowhere; what is stored is its hash. */
export function generateApiKey(keyId: ApiKeyId, randomBytes: RandomBytes = (length) => crypto.getRandomValues(new Uint8Array(length))): string {
  const id = keyId.slice('key_'.length);
  if (!new RegExp(`^[0-9a-z]{${idLength}}$`).test(id)) throw new TypeError('an API key id is key_ and 26 characters');
  let secret = '';
  while (secret.length < secretLength) {
    for (const byte of randomBytes(secretLength)) {
      // 248 is the largest multiple of 62 in a byte: values above it would make the first characters likelier.
      if (byte < 248 && secret.length < secretLength) secret += base62[byte % 62];
    }
  }
  return `${prefix}${id}${secret}${checksumOf(id + secret)}`;
}

/** The id in a well-formed key, or undefined for anything else. Pure and cheap: what it refuses never reaches a store. */
export function parseApiKey(text: string): { readonly keyId: ApiKeyId } | undefined {
  if (text.length !== apiKeyLength || !keyPattern.test(text)) return undefined;
  const checked = text.slice(prefix.length, -checksumLength);
  if (checksumOf(checked) !== text.slice(-checksumLength)) return undefined;
  return { keyId: `key_${checked.slice(0, idLength)}` };
}

/** How a key's text begins: enough for people to tell their keys apart, nothing of the secret. */
export function apiKeyPrefixOf(keyId: ApiKeyId): string {
  return `${prefix}${keyId.slice('key_'.length)}`;
}

/** Characters of a key that another installation made: fewer can be guessed, more is no key. */
const legacyLength = { min: 16, max: 256 } as const;

/**
 * Whether a text that is none of our keys may be one that was brought along from a single-tenant installation: printable ASCII without blanks.
 * It says nothing of whose it is, so whoever asks for it bounds how often.
 */
export function isPlausibleLegacyApiKey(text: string): boolean {
  return text.length >= legacyLength.min && text.length <= legacyLength.max && /^[\x21-\x7e]+$/.test(text) && parseApiKey(text) === undefined;
}

/** CRC-32 (polynomial of IEEE 802.3, bits reversed) in base 62. */
function checksumOf(text: string): string {
  let crc = 0xffffffff;
  for (let index = 0; index < text.length; index++) {
    crc ^= text.charCodeAt(index);
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  let rest = (crc ^ 0xffffffff) >>> 0;
  let checksum = '';
  for (let position = 0; position < checksumLength; position++) {
    checksum = base62.charAt(rest % 62) + checksum;
    rest = Math.floor(rest / 62);
  }
  return checksum;
}
