import { createApiKey, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { issueApiKey } from '../api-keys/issue-api-key.ts';
import { apiKeyRecord } from '../domain/api-key-record.ts';
import { assertGrantable } from '../domain/assert-grantable.ts';

export function createApiKeyRoute(deps: Dependencies): Route {
  const { db, tenants, now } = deps;
  return defineRoute(createApiKey, ({ body: { expiresAt, rateLimit = null, ...rest }, principal }) => {
    assertGrantable(principal, rest.scopes);
    const expires = expiresAt === undefined ? null : new Date(expiresAt);
    if (expires !== null && expires <= now()) throw hubError('request.invalid', { issues: [{ path: 'body.expiresAt', message: 'is past' }] });
    return db.transaction(async () => {
      await tenants.load();
      const { key, apiKey } = await issueApiKey(deps, { ...rest, rateLimit, expiresAt: expires });
      return { key: apiKeyRecord(key, now()), apiKey };
    });
  });
}
