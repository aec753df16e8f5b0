import { apiKeyPrefixOf, type ApiKeyRecord } from '@switchboard/contracts';
import type { KeptApiKey } from '../store/api-keys.ts';

/** A key as the API shows it. */
export function apiKeyRecord(key: KeptApiKey, now: Date): ApiKeyRecord {
  return {
    keyId: key.keyId,
    name: key.name,
    prefix: key.isLegacy ? null : apiKeyPrefixOf(key.keyId),
    scopes: key.scopes,
    cidrs: key.cidrs,
    rateLimit: key.rateLimit,
    status: apiKeyStatus(key, now),
    createdAt: key.createdAt.toISOString(),
    lastUsedAt: key.lastUsedAt?.toISOString() ?? null,
    expiresAt: key.expiresAt?.toISOString() ?? null,
    revokedAt: key.revokedAt?.toISOString() ?? null,
    replacedBy: key.replacedBy,
  };
}

export function apiKeyStatus(key: Pick<KeptApiKey, 'revokedAt' | 'expiresAt'>, now: Date): ApiKeyRecord['status'] {
  if (key.revokedAt !== null) return 'revoked';
  return key.expiresAt !== null && key.expiresAt <= now ? 'expired' : 'active';
}
