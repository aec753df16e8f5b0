import { isPlausibleLegacyApiKey, parseApiKey, type ApiKeyId } from '@switchboard/contracts';
import { hashApiKey, isSameSecret } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import type { StoredApiKey } from '../store/api-keys.ts';

/**
 * What each of these texts opens, in their order; undefined for one that opens nothing: whether it is unknown, revoked, expired or mistyped is
 * nobody's business. Notes the use of those that open.
 */
export async function findOpeningKeys(texts: readonly string[], { apiKeys, config, now }: Pick<Dependencies, 'apiKeys' | 'config' | 'now'>): Promise<(StoredApiKey | undefined)[]> {
  return await runAsSystem('the tenant of a key is what is asked for', async () => {
    const asked = await Promise.all(
      texts.map(async (text) => {
        const parsed = parseApiKey(text);
        if (parsed === undefined && !isPlausibleLegacyApiKey(text)) return undefined;
        const hash = hashApiKey(config.apiKeyPepper, text);
        const keyId: ApiKeyId | undefined = parsed?.keyId ?? (await apiKeys.findLegacyId(hash));
        return { keyId, hash };
      }),
    );
    const keyIds = [...new Set(asked.flatMap((one) => one?.keyId ?? []))];
    const stored = new Map((keyIds.length === 0 ? [] : await apiKeys.find(keyIds)).map((key) => [key.keyId, key]));
    const at = now();
    const opening = asked.map((one) => {
      const key = one?.keyId === undefined ? undefined : stored.get(one.keyId);
      if (one === undefined || key === undefined || !isSameSecret(one.hash, key.hash)) return undefined;
      const isExpired = key.expiresAt !== null && new Date(key.expiresAt) <= at;
      return key.revokedAt !== null || isExpired ? undefined : key;
    });
    await apiKeys.noteUse([...new Set(opening.filter((key) => key !== undefined))], at);
    return opening;
  });
}
