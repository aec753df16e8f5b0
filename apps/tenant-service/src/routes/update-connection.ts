import { updateConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { changeConnection } from '../accounts/update-connection.ts';
import type { Dependencies } from '../app.ts';

export function updateConnectionRoute(deps: Dependencies): Route {
  return defineRoute(updateConnection, ({ params: { connectionId }, body }) => changeConnection(deps, connectionId, body));
}
