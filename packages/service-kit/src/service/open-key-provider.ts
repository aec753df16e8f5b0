import { combineKeyProviders, createAwsKmsKeyProvider, createEnvKeyProvider, createVaultKeyProvider, type KeyProvider } from '@switchboard/secrets';
import type { KeyProviderConfig } from '../config/key-provider-config.ts';
import { absentKeyProvider } from './absent-parts.ts';
import { StartRefusal } from './start-refusal.ts';

/**
 * The provider that KEY_PROVIDER names wraps; every other one that is configured goes on unwrapping what it wrapped, so that moving from one to
 * another needs no pause. Throws StartRefusal for one that is named and not configured, or configured by half. With nothing configured: a stand-in
 * that refuses to seal.
 */
export function openKeyProvider(service: string, config: KeyProviderConfig): KeyProvider {
  const providers = { local: openLocal(config), vault: openVault(config), kms: openKms(config) };
  const chosen = config.keyProvider ?? 'env';
  const current = { 'env': providers.local, 'file': providers.local, 'vault-transit': providers.vault, 'aws-kms': providers.kms }[chosen];
  const others = Object.values(providers).filter((provider): provider is KeyProvider => provider !== undefined && provider !== current);
  if (current !== undefined) return combineKeyProviders(current, others);
  if (chosen === 'vault-transit') throw new StartRefusal('KEY_PROVIDER is vault-transit, and VAULT_ADDR, VAULT_TOKEN and VAULT_TRANSIT_KEY are not set.');
  if (chosen === 'aws-kms') throw new StartRefusal('KEY_PROVIDER is aws-kms, and AWS_KMS_KEY_ID, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set.');
  if (config.keyProvider !== undefined) throw new StartRefusal(`KEY_PROVIDER is ${chosen}, and neither KEY_ENCRYPTION_KEY nor KEY_ENCRYPTION_KEY_FILE is set.`);
  if (others.length > 0) throw new StartRefusal('A key provider is configured and not chosen: set KEY_PROVIDER to vault-transit or aws-kms, or KEY_ENCRYPTION_KEY to a key.');
  return absentKeyProvider(service);
}

function openLocal({ keyEncryptionKey }: KeyProviderConfig): KeyProvider | undefined {
  if (keyEncryptionKey === undefined) return undefined;
  return attempt(() => createEnvKeyProvider(keyEncryptionKey), 'KEY_ENCRYPTION_KEY is not valid: give 32 random bytes as 64 hex digits or base64.');
}

function openVault({ vaultAddr: address, vaultToken: token, vaultTransitKey: key, vaultTransitMount: mount, vaultNamespace: namespace }: KeyProviderConfig): KeyProvider | undefined {
  // VAULT_ADDR and VAULT_TOKEN alone may be there for something else.
  if (key === undefined) return undefined;
  const needed = { VAULT_ADDR: address, VAULT_TOKEN: token };
  if (address === undefined || token === undefined) throw new StartRefusal(`VAULT_TRANSIT_KEY is set; set ${missingOf(needed)} as well.`);
  return attempt(() => createVaultKeyProvider({ address, token, key, mount, ...(namespace !== undefined && { namespace }) }));
}

function openKms({ awsKmsKeyId: keyId, awsRegion: region, awsAccessKeyId: accessKeyId, awsSecretAccessKey: secretAccessKey, awsSessionToken: sessionToken, awsKmsEndpoint: endpoint }: KeyProviderConfig): KeyProvider | undefined {
  if (keyId === undefined) return undefined;
  const needed = { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  if (region === undefined || accessKeyId === undefined || secretAccessKey === undefined) throw new StartRefusal(`AWS_KMS_KEY_ID is set; set ${missingOf(needed)} as well.`);
  return attempt(() => createAwsKmsKeyProvider({ keyId, region, accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }), ...(endpoint !== undefined && { endpoint }) }));
}

function missingOf(needed: Readonly<Record<string, string | undefined>>): string {
  return Object.entries(needed).filter(([, value]) => value === undefined).map(([name]) => name).join(' and ');
}

/** What the secrets package throws says what is wrong without the key. */
function attempt(open: () => KeyProvider, sentence?: string): KeyProvider {
  try {
    return open();
  } catch (cause) {
    throw new StartRefusal(sentence ?? (cause as Error).message, { cause }); // it throws Errors only
  }
}
