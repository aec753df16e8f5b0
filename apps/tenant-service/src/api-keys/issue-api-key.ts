import { generateApiKey, newId, type Scope } from '@switchboard/contracts';
import { hashApiKey } from '@switchboard/secrets';
import type { Dependencies } from '../app.ts';
import type { KeptApiKey } from '../store/api-keys.ts';

export type ApiKeyWish = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly cidrs: readonly string[];
  readonly rateLimit: number | null;
  readonly expiresAt: Date | null;
};

/** Makes a key of the current tenant, inside a transaction. Its text is in the result and nowhere else. */
export async function issueApiKey(
  { bus, apiKeys, audit, config, now }: Pick<Dependencies, 'bus' | 'apiKeys' | 'audit' | 'config' | 'now'>,
  wish: ApiKeyWish,
): Promise<{ readonly key: KeptApiKey; readonly apiKey: string }> {
  const keyId = newId('key');
  const apiKey = generateApiKey(keyId);
  const key = await apiKeys.insert({ ...wish, keyId, hash: hashApiKey(config.apiKeyPepper, apiKey), createdAt: now() });
  const { name, scopes, cidrs, rateLimit, expiresAt } = wish;
  await audit.append({ action: 'api_key.created', subject: keyId, after: { name, scopes, cidrs, rateLimit, expiresAt: expiresAt?.toISOString() ?? null } });
  await bus.publish('api_key.changed', { keyId, status: 'active' }, { orderingKey: keyId });
  return { key, apiKey };
}
