import { currentTenant } from '@switchboard/tenant-context';
import type { DataKeyStore, KeyProvider } from './port.ts';

/**
 * Wraps the current tenant's data keys with the current key-encryption key, while everything runs: sealed values stay as they are.
 * Returns how many were wrapped anew; when that is 0 for every tenant, the previous key-encryption key can be taken away. Whoever goes over many
 * tenants asks for the current key once and gives its id.
 */
export async function rewrapDataKeys(dataKeys: DataKeyStore, keyProvider: KeyProvider, givenKeyId?: string): Promise<number> {
  const tenantId = currentTenant();
  const currentKeyId = givenKeyId ?? (await keyProvider.currentKeyId());
  const outdated = (await dataKeys.find()).filter((key) => key.keyId !== currentKeyId);
  let rewrapped = 0;
  for (const key of outdated) {
    const wrapped = await keyProvider.wrap(await keyProvider.unwrap(key, tenantId), tenantId);
    if (await dataKeys.replace({ dataKeyId: key.dataKeyId, ...wrapped }, key.keyId)) rewrapped++;
  }
  return rewrapped;
}
