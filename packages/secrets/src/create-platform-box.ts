import { randomBytes } from 'node:crypto';
import { associate, decrypt, encrypt, keyLength } from './aead.ts';
import { createPlatformSeal } from './create-platform-seal.ts';
import type { KeyProvider, SecretPlace, WrappedKey } from './port.ts';

/** A secret of the platform with the key of its own that it is sealed under, wrapped by the key provider. */
export type PlatformSealed = WrappedKey & { readonly sealed: Buffer };

/** Seals secrets of any length that belong to the platform and to no tenant. */
export interface PlatformBox {
  seal(plaintext: string, place: SecretPlace): Promise<PlatformSealed>;
  /** Throws `secret.unreadable` on any doubt: changed bit, other place, a tenant's secret, unknown key-encryption key; `secret.provider_unavailable` when the provider is away. */
  open(sealed: PlatformSealed, place: SecretPlace): Promise<string>;
}

export function createPlatformBox(keyProvider: KeyProvider): PlatformBox {
  const seal = createPlatformSeal(keyProvider);
  return {
    async seal(plaintext, place) {
      const key = randomBytes(keyLength);
      return { ...(await seal.seal(key, place)), sealed: encrypt(key, Buffer.from(plaintext, 'utf8'), associateWith(place)) };
    },
    async open({ sealed, ...wrapped }, place) {
      return decrypt(await seal.open(wrapped, place), Buffer.from(sealed), associateWith(place)).toString('utf8');
    },
  };
}

function associateWith({ table, column, row }: SecretPlace): Buffer {
  return associate('switchboard platform secret', table, column, row);
}
