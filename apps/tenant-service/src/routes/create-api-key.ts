import { createApiKey, hubError } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { makeApiKey } from '../api-keys/make-api-key.ts';
import type { Dependencies } from '../app.ts';
import { assertGrantable, assertWithinBounds, inheritBounds } from '../domain/assert-grantable.ts';

export function createApiKeyRoute(deps: Dependencies): Route {
  return defineRoute(createApiKey, ({ body, principal, idempotencyKey }) => {
    assertGrantable(principal, body.scopes);
    return makeApiKey(deps, { principal, idempotencyKey, asked: body }, async (own) => {
      const { expiresAt, rateLimit = null, ...rest } = body;
      const asked = { ...rest, rateLimit, expiresAt: expiresAt === undefined ? null : new Date(expiresAt) };
      if (asked.expiresAt !== null && asked.expiresAt <= deps.now()) throw hubError('request.invalid', { issues: [{ path: 'body.expiresAt', message: 'is past' }] });
      if (own === undefined) return { wish: asked };
      const wish = inheritBounds(asked, own);
      assertWithinBounds(wish, own);
      return { wish };
    });
  });
}
