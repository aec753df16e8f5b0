import { hubError, resolveApiKey } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { findOpeningKeys } from '../../api-keys/find-opening-keys.ts';
import type { Dependencies } from '../../app.ts';

/** One answer for every key that does not open. */
export function resolveApiKeyRoute(dependencies: Dependencies): Route {
  return defineRoute(resolveApiKey, async ({ body: { apiKey } }) => {
    const [key] = await findOpeningKeys([apiKey], dependencies);
    if (key === undefined) throw hubError('auth.missing');
    const { hash: _hash, revokedAt: _revoked, lastUsedAt: _used, ...resolved } = key;
    return resolved;
  });
}
