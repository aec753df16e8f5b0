import { createHash } from 'node:crypto';

const base32 = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * An id of the hub's form that follows from what the thing was called before: made twice, it is the same, so that a repetition finds what it
 * made. Like every id it begins with the time, the old one: what is old sorts before what is new.
 */
export function deriveId<P extends string>(prefix: P, at: Date, ...names: readonly string[]): `${P}_${string}` {
  let head = '';
  for (let time = Math.max(0, at.getTime()), i = 0; i < 10; i++, time = Math.floor(time / 32)) head = base32.charAt(time % 32) + head;
  const hash = createHash('sha256').update(JSON.stringify(['single-tenant', prefix, ...names])).digest();
  let tail = '';
  for (let i = 0; i < 16; i++) tail += base32.charAt((hash[i] ?? 0) & 31);
  return `${prefix}_${head}${tail}`;
}
