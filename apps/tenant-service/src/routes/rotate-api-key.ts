import { hubError, rotateApiKey, type Scope } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { makeApiKey } from '../api-keys/make-api-key.ts';
import type { Dependencies } from '../app.ts';
import { apiKeyStatus } from '../domain/api-key-record.ts';
import { assertGrantable, assertWithinBounds } from '../domain/assert-grantable.ts';

export function rotateApiKeyRoute(deps: Dependencies): Route {
  const { bus, apiKeys, audit, now } = deps;
  return defineRoute(rotateApiKey, ({ params: { keyId }, body: { overlapHours }, principal, idempotencyKey }) =>
    makeApiKey(deps, { principal, idempotencyKey, asked: { rotated: keyId, overlapHours } }, async (own) => {
      const old = await apiKeys.lockOwn(keyId);
      if (old === undefined) throw hubError('api_key.not_found');
      if (apiKeyStatus(old, now()) !== 'active') throw hubError('api_key.not_active');
      assertGrantable(principal, old.scopes);
      if (own !== undefined) assertWithinBounds(old, own);

      const overlapEnds = new Date(now().getTime() + overlapHours * 3_600_000);
      const expiresAt = old.expiresAt !== null && old.expiresAt < overlapEnds ? old.expiresAt : overlapEnds;
      // Before the new one is counted: without an overlap the old one leaves it its place.
      await apiKeys.update(keyId, { expiresAt });
      return {
        // Expires when the old one would have: a rotation makes nothing last longer. The cast is safe: scopes were parsed when they were given.
        wish: { name: old.name, scopes: old.scopes as Scope[], cidrs: old.cidrs, rateLimit: old.rateLimit, expiresAt: old.expiresAt },
        onMade: async (replacedBy) => {
          await apiKeys.update(keyId, { replacedBy });
          await audit.append({
            action: 'api_key.rotated',
            subject: keyId,
            before: { expiresAt: old.expiresAt?.toISOString() ?? null, replacedBy: old.replacedBy },
            after: { expiresAt: expiresAt.toISOString(), replacedBy },
          });
          // Whoever keeps it in memory learns when it ends.
          await bus.publish('api_key.changed', { keyId, status: overlapHours === 0 ? 'revoked' : 'active' }, { orderingKey: keyId });
        },
      };
    }),
  );
}
