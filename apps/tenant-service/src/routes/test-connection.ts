import { testConnection } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { askAboutConnection } from '../accounts/test-connection.ts';
import type { Dependencies } from '../app.ts';

export function testConnectionRoute(deps: Dependencies): Route {
  return defineRoute(testConnection, ({ params: { connectionId } }) => askAboutConnection(deps, connectionId));
}
