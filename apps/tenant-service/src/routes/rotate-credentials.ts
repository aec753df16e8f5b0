import { rotateCredentials } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { rotate } from '../accounts/update-connection.ts';
import type { Dependencies } from '../app.ts';

export function rotateCredentialsRoute(deps: Dependencies): Route {
  return defineRoute(rotateCredentials, ({ params: { connectionId }, body }) => rotate(deps, connectionId, body));
}
