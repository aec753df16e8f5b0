import { hubError, rotateApiKey, type Scope } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';
import { issueApiKey } from '../api-keys/issue-api-key.ts';
import { apiKeyRecord, apiKeyStatus } from '../domain/api-key-record.ts';
import { assertGrantable } from '../domain/assert-grantable.ts';

export function rotateApiKeyRoute(deps: Dependencies): Route {
  const { db, bus, tenants, apiKeys, audit, now } = deps;
  return defineRoute(rotateApiKey, ({ params: { keyId }, body: { overlapHours }, principal }) =>
    db.transaction(async () => {
      await tenants.load();
      const old = await apiKeys.lockOwn(keyId);
      if (old === undefined) throw hubError('api_key.not_found');
      if (apiKeyStatus(old, now()) !== 'active') throw hubError('api_key.not_active');
      assertGrantable(principal, old.scopes);

      // Expires when the old one would have: a rotation makes nothing last longer. The cast is safe: scopes were parsed when they were given.
      const { key, apiKey } = await issueApiKey(deps, { name: old.name, scopes: old.scopes as Scope[], cidrs: old.cidrs, rateLimit: old.rateLimit, expiresAt: old.expiresAt });
      const overlapEnds = new Date(now().getTime() + overlapHours * 3_600_000);
      const expiresAt = old.expiresAt !== null && old.expiresAt < overlapEnds ? old.expiresAt : overlapEnds;
      await apiKeys.update(keyId, { expiresAt, replacedBy: key.keyId });
      await audit.append({
        action: 'api_key.rotated',
        subject: keyId,
        before: { expiresAt: old.expiresAt?.toISOString() ?? null, replacedBy: old.replacedBy },
        after: { expiresAt: expiresAt.toISOString(), replacedBy: key.keyId },
      });
      // Whoever keeps it in memory learns when it ends.
      await bus.publish('api_key.changed', { keyId, status: overlapHours === 0 ? 'revoked' : 'active' }, { orderingKey: keyId });
      return { key: apiKeyRecord(key, now()), apiKey };
    }),
  );
}
