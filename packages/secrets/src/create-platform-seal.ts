import { hubError } from '@switchboard/contracts';
import { associate, keyLength } from './aead.ts';
import type { KeyProvider, SecretPlace, WrappedKey } from './port.ts';

/** Seals secrets of 32 bytes that belong to the platform and to no tenant: keys that sign. */
export interface PlatformSeal {
  seal(secret: Buffer, place: SecretPlace): Promise<WrappedKey>;
  /** Throws `secret.unreadable` on any doubt: changed bit, other place, a tenant's key, unknown key-encryption key; `secret.provider_unavailable` when the provider is away. */
  open(sealed: WrappedKey, place: SecretPlace): Promise<Buffer>;
}

/** There is no data key in between: the key provider wraps the secret itself, which is as long as a data key, under a name that no tenant can have. */
export function createPlatformSeal(keyProvider: KeyProvider): PlatformSeal {
  return {
    seal: async (secret, place) => {
      if (secret.length !== keyLength) throw hubError('internal', { detail: { reason: `a secret of the platform has ${keyLength} bytes` } });
      return await keyProvider.wrap(secret, ownerOf(place));
    },
    open: (sealed, place) => keyProvider.unwrap(sealed, ownerOf(place)),
  };
}

/** Tenant ids have neither brackets nor quotes. */
function ownerOf({ table, column, row }: SecretPlace): string {
  return associate('switchboard platform', table, column, row).toString('utf8');
}
