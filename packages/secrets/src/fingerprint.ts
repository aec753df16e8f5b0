import { createHash } from 'node:crypto';

/** Names a secret in logs and comparisons without showing it: 16 hex digits of SHA-256. For random secrets only; a short one can be guessed from it. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(secret).digest('hex').slice(0, 16);
}
