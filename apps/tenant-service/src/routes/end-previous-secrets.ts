import { endPreviousSecrets } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { endOverlap } from '../accounts/end-previous-secrets.ts';
import type { Dependencies } from '../app.ts';

export function endPreviousSecretsRoute(deps: Dependencies): Route {
  return defineRoute(endPreviousSecrets, async ({ params: { connectionId } }) => ({ ended: await endOverlap(deps, connectionId) }));
}
