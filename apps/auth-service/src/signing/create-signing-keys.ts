import { hubError } from '@switchboard/contracts';
import type { KeyProvider } from '@switchboard/secrets';
import { createPlatformSeal } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';
import { createECDH, createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { AuthDatabase } from '../store/client.ts';
import type { PublicJwk, SigningKeyRow, SigningKeyStore } from '../store/signing-keys.ts';
import { planSigningKeys, publishLeadMs } from './plan-signing-keys.ts';

/** Milliseconds the table is not read again: a small part of the time between a key's publication and its use. */
const keptMs = 30_000;
/** Milliseconds between two reads because of a key id that nobody knows, which anybody can write into a token. */
const unknownKidMs = 2_000;

export interface SigningKeys {
  /** The key that signs now. Makes the first one, if there is none: one of many processes does. */
  signer(): Promise<{ readonly kid: string; readonly privateKey: KeyObject }>;
  /** Undefined for a key that does not verify, or never did. */
  verifier(kid: string): Promise<KeyObject | undefined>;
  /** What may be told to everybody. */
  published(): Promise<readonly (PublicJwk & { readonly kid: string })[]>;
  /** Publishes the next key unless one is published already; that one. */
  rotate(): Promise<{ readonly kid: string; readonly signsFrom: Date; readonly isNew: boolean }>;
  /** By the clock: the next key when it is time, old ones deleted, private parts of what signs no more forgotten and the others wrapped by today's key. */
  maintain(): Promise<void>;
}

type Deps = { readonly db: AuthDatabase; readonly store: SigningKeyStore; readonly keyProvider: KeyProvider; readonly now: () => Date };

export function createSigningKeys({ db, store, keyProvider, now }: Deps): SigningKeys {
  const seal = createPlatformSeal(keyProvider);
  const opened = new Map<string, KeyObject>();
  let kept: { readonly rows: readonly SigningKeyRow[]; readonly readAtMs: number } | undefined;

  const inLock = <T>(fn: (rows: SigningKeyRow[]) => Promise<T>): Promise<T> =>
    runAsSystem('keys that sign belong to the platform', () =>
      db.transaction(async () => {
        await store.lock();
        return await fn(await store.list());
      }),
    );

  const load = async (maxAgeMs: number): Promise<readonly SigningKeyRow[]> => {
    if (kept !== undefined && now().getTime() - kept.readAtMs < maxAgeMs) return kept.rows;
    const readAtMs = now().getTime();
    let rows = await runAsSystem('keys that sign belong to the platform', () => store.list());
    if (rows.length === 0) rows = await inLock(async (present) => (present.length > 0 ? present : [await make(now())]));
    kept = { rows, readAtMs };
    return rows;
  };

  const make = async (signsFrom: Date): Promise<SigningKeyRow> => {
    const { publicJwk, secret } = generate();
    const kid = kidOf(publicJwk);
    const { keyId, wrapped } = await seal.seal(secret, placeOf(kid));
    const row = { kid, publicJwk, wrappedBy: keyId, wrapped, createdAt: now(), signsFrom };
    await store.insert(row);
    return row;
  };

  const openKey = async (row: SigningKeyRow): Promise<KeyObject> => {
    const known = opened.get(row.kid);
    if (known !== undefined) return known;
    if (row.wrapped === null || row.wrappedBy === null) throw hubError('secret.unreadable', { detail: { reason: 'a signing key has no private part', kid: row.kid } });
    const secret = await seal.open({ keyId: row.wrappedBy, wrapped: row.wrapped }, placeOf(row.kid));
    const privateKey = privateKeyOf(row, secret);
    opened.clear();
    opened.set(row.kid, privateKey);
    return privateKey;
  };

  return {
    async signer() {
      const rows = await load(keptMs);
      const { signing } = planSigningKeys(rows, now());
      const row = rows.find(({ kid }) => kid === signing);
      if (row === undefined) throw hubError('internal', { detail: { reason: 'no key signs' } });
      return { kid: row.kid, privateKey: await openKey(row) };
    },

    async verifier(kid) {
      const find = (rows: readonly SigningKeyRow[]) => rows.find((row) => row.kid === kid && planSigningKeys(rows, now()).verifying.includes(kid));
      const row = find(await load(keptMs)) ?? find(await load(unknownKidMs));
      return row === undefined ? undefined : createPublicKey({ key: row.publicJwk, format: 'jwk' });
    },

    async published() {
      const rows = await load(keptMs);
      const { verifying } = planSigningKeys(rows, now());
      return rows.filter(({ kid }) => verifying.includes(kid)).map(({ kid, publicJwk: { kty, crv, x, y } }) => ({ kty, crv, x, y, kid }));
    },

    async rotate() {
      const outcome = await inLock(async (rows) => {
        if (rows.length === 0) return { ...(await make(now())), isNew: true };
        const { next } = planSigningKeys(rows, now());
        const published = rows.find(({ kid }) => kid === next);
        return published === undefined ? { ...(await make(new Date(now().getTime() + publishLeadMs))), isNew: true } : { ...published, isNew: false };
      });
      kept = undefined;
      return { kid: outcome.kid, signsFrom: outcome.signsFrom, isNew: outcome.isNew };
    },

    async maintain() {
      const currentKeyId = await keyProvider.currentKeyId();
      await inLock(async (rows) => {
        const plan = planSigningKeys(rows, now());
        if (plan.isDue) await make(rows.length === 0 ? now() : new Date(now().getTime() + publishLeadMs));
        await store.remove(plan.outdated);
        for (const row of rows) {
          const signs = row.kid === plan.signing || row.kid === plan.next;
          if (row.wrapped === null || row.wrappedBy === null) continue;
          if (!signs) await store.setWrapped(row.kid, null, null);
          else if (row.wrappedBy !== currentKeyId) {
            const again = await seal.seal(await seal.open({ keyId: row.wrappedBy, wrapped: row.wrapped }, placeOf(row.kid)), placeOf(row.kid));
            await store.setWrapped(row.kid, again.keyId, again.wrapped);
          }
        }
      });
      kept = undefined;
    },
  };
}

const placeOf = (kid: string) => ({ table: 'signing_keys', column: 'wrapped', row: kid });

function generate(): { publicJwk: PublicJwk; secret: Buffer } {
  const { x = '', y = '', d = '' } = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ format: 'jwk' });
  return { publicJwk: { kty: 'EC', crv: 'P-256', x, y }, secret: Buffer.from(d, 'base64url') };
}

/** The thumbprint of RFC 7638: another key has another name, in whichever installation. */
function kidOf({ crv, kty, x, y }: PublicJwk): string {
  return createHash('sha256').update(JSON.stringify({ crv, kty, x, y })).digest('base64url');
}

/** Throws `secret.unreadable` when the public part is not that of the private one: a row that was changed would publish a key that signs nothing. */
function privateKeyOf({ kid, publicJwk }: SigningKeyRow, secret: Buffer): KeyObject {
  const pair = createECDH('prime256v1');
  pair.setPrivateKey(secret);
  const point = Buffer.concat([Buffer.of(4), Buffer.from(publicJwk.x, 'base64url'), Buffer.from(publicJwk.y, 'base64url')]);
  if (!pair.getPublicKey().equals(point)) throw hubError('secret.unreadable', { detail: { reason: 'the public part of a signing key does not belong to the private one', kid } });
  return createPrivateKey({ key: { ...publicJwk, d: secret.toString('base64url') }, format: 'jwk' });
}
