import type { PlatformBox, SecretBox, SecretPlace } from '@switchboard/secrets';
import { currentRealm } from '../domain/realm.ts';

/** A sealed secret: of a tenant under the tenant's data key, of the platform under a key of its own, which lies beside it. */
export type Sealed = { readonly sealed: Uint8Array; readonly wrappedBy: string | null; readonly wrapped: Uint8Array | null };

/** Seals secrets of the current realm. */
export interface RealmBox {
  seal(text: string, place: SecretPlace): Promise<Sealed>;
  /** Throws `secret.unreadable` on any doubt, and `secret.provider_unavailable`. */
  open(sealed: Sealed, place: SecretPlace): Promise<string>;
}

export function createRealmBox(ofTenants: SecretBox, ofPlatform: PlatformBox): RealmBox {
  return {
    async seal(text, place) {
      if (currentRealm() !== undefined) return { sealed: await ofTenants.seal(text, place), wrappedBy: null, wrapped: null };
      const { keyId, wrapped, sealed } = await ofPlatform.seal(text, place);
      return { sealed, wrappedBy: keyId, wrapped };
    },
    async open({ sealed, wrappedBy, wrapped }, place) {
      if (wrappedBy === null || wrapped === null) return await ofTenants.open(sealed, place);
      return await ofPlatform.open({ keyId: wrappedBy, wrapped: Buffer.from(wrapped), sealed: Buffer.from(sealed) }, place);
    },
  };
}

/** The columns of a sealed secret in the tables of the current realm. */
export function sealedColumns(): string {
  return currentRealm() === undefined ? 'sealed_secret as sealed, wrapped_by as "wrappedBy", wrapped' : 'sealed_secret as sealed, null as "wrappedBy", null as wrapped';
}

export function sealedValues({ sealed, wrappedBy, wrapped }: Sealed): Readonly<Record<string, unknown>> {
  return currentRealm() === undefined ? { sealed_secret: sealed, wrapped_by: wrappedBy, wrapped } : { sealed_secret: sealed };
}
