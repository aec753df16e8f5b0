import { currentTenant } from '@switchboard/tenant-context';
import type { DataKeyStore, KeyProvider } from './port.ts';

/**
 * Wraps the current tenant's data keys with the current key-encryption key, while everything runs: sealed values stay as they are.
 * Returns how many were wrapped anew; when that is 0 for every tenant, the previous key-encryption key can be taken away.
 */
export async function rewrapDataKeys(dataKeys: DataKeyStore, keyProvider: KeyProvider): Promise<number> {
  const tenantId = currentTenant();
  const outdated = (await dataKeys.find()).filter((key) => key.keyId !== keyProvider.currentKeyId);
  for (const key of outdated) {
    const wrapped = await keyProvider.wrap(await keyProvider.unwrap(key, tenantId), tenantId);
    await dataKeys.replace({ dataKeyId: key.dataKeyId, ...wrapped });
  }
  return outdated.length;
}
