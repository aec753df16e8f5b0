import { hubError, revokeApiKey } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../app.ts';

/** The last key may go as well: the platform and members who log in can make new ones. */
export function revokeApiKeyRoute({ db, bus, tenants, apiKeys, audit, now }: Dependencies): Route {
  return defineRoute(revokeApiKey, ({ params: { keyId } }) =>
    db.transaction(async () => {
      await tenants.load();
      const key = await apiKeys.lockOwn(keyId);
      if (key === undefined) throw hubError('api_key.not_found');
      if (key.revokedAt !== null) return undefined;
      const revokedAt = now();
      await apiKeys.update(keyId, { revokedAt });
      await audit.append({ action: 'api_key.revoked', subject: keyId, before: { revokedAt: null }, after: { revokedAt: revokedAt.toISOString() } });
      await bus.publish('api_key.changed', { keyId, status: 'revoked' }, { orderingKey: keyId });
      return undefined;
    }),
  );
}
