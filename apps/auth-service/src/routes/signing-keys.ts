import { getJwks, rotateSigningKeys } from '@switchboard/contracts';
import { defineRoute, reply, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../dependencies.ts';
import { jwksMaxAgeSeconds } from '../signing/plan-signing-keys.ts';

export function getJwksRoute({ signingKeys }: Dependencies): Route {
  return defineRoute(getJwks, async () => {
    const keys = (await signingKeys.published()).map((key) => ({ ...key, alg: 'ES256' as const, use: 'sig' as const }));
    return reply({ keys }, { headers: { 'cache-control': `public, max-age=${jwksMaxAgeSeconds}` } });
  });
}

export function rotateSigningKeysRoute({ db, announcer, signingKeys }: Dependencies): Route {
  return defineRoute(rotateSigningKeys, () =>
    db.transaction(async () => {
      const { kid, signsFrom, isNew } = await signingKeys.rotate();
      if (isNew) await announcer.audit({ action: 'signing_key.published', subject: kid, facts: { signsFrom: signsFrom.toISOString() } });
      return { kid, signsFrom: signsFrom.toISOString() };
    }),
  );
}
