/** Where a sealed value lies; part of the seal, so that a value moved to another row, column, table or tenant does not open. The tenant comes from the context. */
export type SecretPlace = { readonly table: string; readonly column: string; readonly row: string };

/** Seals and opens values for the tenant of the current context. */
export interface SecretBox {
  /** Returns a versioned binary: header (version, data key id, nonce), ciphertext, tag. Creates the tenant's data key at first use. */
  seal(plaintext: string, place: SecretPlace): Promise<Buffer>;
  /** Throws `secret.unreadable` on any doubt: changed bit, other place, other tenant, unknown or destroyed key. */
  open(sealed: Uint8Array, place: SecretPlace): Promise<string>;
}

/** Wraps data keys with a key-encryption key that never leaves it: `file` and `env` (in memory), Vault transit, AWS KMS. */
export interface KeyProvider {
  /**
   * Id of the key, and of its version where there are versions, that wraps now; it stands in every wrapped key. A remote provider is asked each
   * time: its key may be rotated while we run. Throws `secret.provider_unavailable` when it does not answer.
   */
  currentKeyId(): Promise<string>;
  /** True for ids of keys that this provider wrapped with, or may have. */
  owns(keyId: string): boolean;
  /** Throws `secret.provider_unavailable` when the provider is away or refuses us: worth trying later. */
  wrap(dataKey: Buffer, tenantId: string): Promise<WrappedKey>;
  /** Throws `secret.unreadable` for an unknown key id, another tenant's key, or changed bytes; `secret.provider_unavailable` as `wrap`. */
  unwrap(wrapped: WrappedKey, tenantId: string): Promise<Buffer>;
}

export type WrappedKey = { readonly keyId: string; readonly wrapped: Buffer };

export type WrappedDataKey = WrappedKey & {
  /** 16 hex digits. */
  readonly dataKeyId: string;
  /** Inserted by the transaction that is still open: it may yet roll back, so the key must not outlive it in memory. */
  readonly unsettled?: boolean;
};

/** The service's table of wrapped data keys (`tenant_keys`), one live key a tenant; implemented over the service's database by `createDataKeyStore`. */
export interface DataKeyStore {
  find(): Promise<WrappedDataKey[]>;
  /** Inserts unless the tenant has a key already; returns the one that is there now. */
  insert(key: WrappedDataKey): Promise<WrappedDataKey>;
  /** Puts another wrapping of the same data key in the place of that by `fromKeyId`. False when it is gone, or was wrapped anew meanwhile. */
  replace(key: WrappedDataKey, fromKeyId: string): Promise<boolean>;
  /** Deletes the tenant's keys: what was sealed under them is unreadable for ever, once caches ran out (`keepMs` of the secret box). */
  destroy(): Promise<void>;
}
