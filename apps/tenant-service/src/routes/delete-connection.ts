import { deleteConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { removeConnection } from '../accounts/delete-connection.ts';
import type { Dependencies } from '../app.ts';

export function deleteConnectionRoute(deps: Dependencies): Route {
  return defineRoute(deleteConnection, ({ params: { connectionId } }) => removeConnection(deps, connectionId));
}
