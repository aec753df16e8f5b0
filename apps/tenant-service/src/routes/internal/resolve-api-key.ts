import { hubError, isPlausibleLegacyApiKey, parseApiKey, resolveApiKey } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { hashApiKey, isSameSecret } from '@switchboard/secrets';
import { runAsSystem } from '@switchboard/tenant-context';
import type { Dependencies } from '../../app.ts';

/** One answer for every key that does not open: whether it is unknown, revoked, expired or mistyped is nobody's business. */
export function resolveApiKeyRoute({ apiKeys, config, now }: Dependencies): Route {
  return defineRoute(resolveApiKey, ({ body: { apiKey } }) => {
    const parsed = parseApiKey(apiKey);
    if (parsed === undefined && !isPlausibleLegacyApiKey(apiKey)) throw hubError('auth.missing');
    const hash = hashApiKey(config.apiKeyPepper, apiKey);
    return runAsSystem('the tenant of a key is what is asked for', async () => {
      const keyId = parsed?.keyId ?? (await apiKeys.findLegacyId(hash));
      const stored = keyId === undefined ? undefined : await apiKeys.find(keyId);
      if (keyId === undefined || stored === undefined || !isSameSecret(hash, stored.hash)) throw hubError('auth.missing');
      const { hash: _hash, revokedAt, ...resolved } = stored;
      const at = now();
      const isExpired = resolved.expiresAt !== null && new Date(resolved.expiresAt) <= at;
      if (revokedAt !== null || isExpired) throw hubError('auth.missing');
      await apiKeys.noteUse(keyId, at);
      return resolved;
    });
  });
}
