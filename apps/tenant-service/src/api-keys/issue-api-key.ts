import type { ApiKeyId, Scope } from '@switchboard/contracts';
import { hashApiKey } from '@switchboard/secrets';
import type { Dependencies } from '../app.ts';
import type { KeptApiKey } from '../store/api-keys.ts';
import type { CreationRequest } from '../tenants/creation.ts';

export type ApiKeyWish = {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly cidrs: readonly string[];
  readonly rateLimit: number | null;
  readonly expiresAt: Date | null;
};

type NewKey = { readonly keyId: ApiKeyId; /** Its text, of which a hash is kept. */ readonly apiKey: string; readonly wish: ApiKeyWish; readonly creation: CreationRequest | undefined };

/** Stores a key of the current tenant, inside a transaction. */
export async function issueApiKey({ bus, apiKeys, audit, config, now }: Pick<Dependencies, 'bus' | 'apiKeys' | 'audit' | 'config' | 'now'>, { keyId, apiKey, wish, creation }: NewKey): Promise<KeptApiKey> {
  const repeatable = creation && { creationKey: creation.key, creationRequest: creation.fingerprint };
  const key = await apiKeys.insert({ ...wish, ...repeatable, keyId, hash: hashApiKey(config.apiKeyPepper, apiKey), createdAt: now() });
  const { name, scopes, cidrs, rateLimit, expiresAt } = wish;
  await audit.append({ action: 'api_key.created', subject: keyId, after: { name, scopes, cidrs, rateLimit, expiresAt: expiresAt?.toISOString() ?? null } });
  await bus.publish('api_key.changed', { keyId, status: 'active' }, { orderingKey: keyId });
  return key;
}
