/**
 * Keeps secrets of tenants: envelope encryption (a data key per tenant, wrapped by a key-encryption key that never reaches the database),
 * keyed hashes of API keys, signed links. The only room besides webhook-auth that computes HMACs.
 * It knows no service's tables except `tenant_keys`, which each service that seals copies into its own schema; it logs nothing.
 */
export type * from './port.ts';
export { createSecretBox } from './create-secret-box.ts';
export { createPlatformSeal, type PlatformSeal } from './create-platform-seal.ts';
export { createPlatformBox, type PlatformBox, type PlatformSealed } from './create-platform-box.ts';
export { createDataKeyStore, type DataKeyDatabase } from './create-data-key-store.ts';
export { createEnvKeyProvider, createFileKeyProvider, parseKeyEncryptionKeys } from './key-provider.ts';
export { createVaultKeyProvider, type VaultKeyProviderOptions } from './vault-key-provider.ts';
export { createAwsKmsKeyProvider, type AwsKmsKeyProviderOptions } from './aws-kms-key-provider.ts';
export { combineKeyProviders } from './combine-key-providers.ts';
export { rewrapDataKeys } from './rewrap-data-keys.ts';
export { createTokenSigner, type TokenSigner } from './create-token-signer.ts';
export { hashApiKey } from './hash-api-key.ts';
export { fingerprint } from './fingerprint.ts';
export { isSameSecret } from './is-same-secret.ts';
export { withoutSecrets } from './without-secrets.ts';
