import { postCredentials } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import { connectAccount } from '../accounts/connect-account.ts';
import type { Dependencies } from '../app.ts';

export function postCredentialsRoute(deps: Dependencies): Route {
  return defineRoute(postCredentials, ({ body }) => connectAccount(deps, body));
}
