import { describe, expect, it } from '@jest/globals';
import { keyProviderConfigSchema } from '../config/key-provider-config.ts';
import { loadConfig } from '../config/load-config.ts';
import { openKeyProvider } from './open-key-provider.ts';

const open = (environment: Record<string, string>) => openKeyProvider('tenant-service', loadConfig(keyProviderConfigSchema, environment));
const local = { KEY_ENCRYPTION_KEY: 'ab'.repeat(32) };
const vault = { VAULT_ADDR: 'https://vault.example:8200', VAULT_TOKEN: 'hvs.secret-token', VAULT_TRANSIT_KEY: 'switchboard' };
const kms = { AWS_KMS_KEY_ID: 'alias/switchboard', AWS_REGION: 'eu-central-1', AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE', AWS_SECRET_ACCESS_KEY: 'aws-secret' };
const arn = 'aws-kms:arn:aws:kms:eu-central-1:111122223333:key/1';

describe('the key provider of a service', () => {
  it('is the key in the environment when nothing else is said', async () => {
    const keyId = await open(local).currentKeyId();
    expect(await open({ ...local, KEY_PROVIDER: 'file' }).currentKeyId()).toBe(keyId);
    expect(await open({ ...local, ...vault }).currentKeyId()).toBe(keyId);
  });

  it('unwraps what every configured provider wrapped, whichever wraps now', async () => {
    const localId = await open(local).currentKeyId();
    for (const chosen of ['env', 'vault-transit', 'aws-kms']) {
      const provider = open({ ...local, ...vault, ...kms, KEY_PROVIDER: chosen });
      expect([localId, 'vault:transit/switchboard:v1', arn].filter((keyId) => !provider.owns(keyId))).toEqual([]);
    }
    expect(open({ ...vault, KEY_PROVIDER: 'vault-transit' }).owns(localId)).toBe(false);
    expect(open({ ...vault, KEY_PROVIDER: 'vault-transit' }).owns('vault:transit/other:v1')).toBe(false);
  });

  it.each([
    [{ KEY_PROVIDER: 'env' }, 'KEY_PROVIDER is env, and neither KEY_ENCRYPTION_KEY nor KEY_ENCRYPTION_KEY_FILE is set.'],
    [{ ...local, KEY_PROVIDER: 'vault-transit' }, 'KEY_PROVIDER is vault-transit, and VAULT_ADDR, VAULT_TOKEN and VAULT_TRANSIT_KEY are not set.'],
    [{ ...local, KEY_PROVIDER: 'aws-kms' }, 'KEY_PROVIDER is aws-kms, and AWS_KMS_KEY_ID, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set.'],
    [{ ...local, VAULT_TRANSIT_KEY: 'switchboard' }, 'VAULT_TRANSIT_KEY is set; set VAULT_ADDR and VAULT_TOKEN as well.'],
    [{ ...local, ...kms, AWS_REGION: '' }, 'AWS_KMS_KEY_ID is set; set AWS_REGION as well.'],
    [vault, 'A key provider is configured and not chosen: set KEY_PROVIDER to vault-transit or aws-kms, or KEY_ENCRYPTION_KEY to a key.'],
    [{ ...vault, VAULT_ADDR: 'http://vault.example', KEY_PROVIDER: 'vault-transit' }, 'VAULT_ADDR must be an https address without user or query (http only on this machine).'],
    [{ KEY_ENCRYPTION_KEY: 'hunter2' }, 'KEY_ENCRYPTION_KEY is not valid: give 32 random bytes as 64 hex digits or base64.'],
  ])('is refused at the start in one sentence, case %#', (environment, sentence) => {
    expect(() => open(environment as Record<string, string>)).toThrow(sentence); // the cast is safe: a union of such records
  });

  it('is none for a service that seals nothing, and says so when it is asked to', async () => {
    await expect(open({}).wrap(Buffer.alloc(32), 'acme')).rejects.toThrow(/tenant-service seals secrets and needs a key provider/);
  });
});
