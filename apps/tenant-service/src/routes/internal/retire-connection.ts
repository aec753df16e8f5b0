import { retireConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { removeConnection } from '../../accounts/delete-connection.ts';
import type { Dependencies } from '../../app.ts';

/** Its row goes as with its tenant's own wish; whoever repeats it finds none, and is done. */
export function retireConnectionRoute(deps: Dependencies): Route {
  return defineRoute(retireConnection, ({ params: { connectionId } }) => removeConnection(deps, connectionId));
}
