import { verifyToken } from '@switchboard/contracts';
import { defineRoute, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../dependencies.ts';

export function verifyTokenRoute({ verifyBearer }: Dependencies): Route {
  return defineRoute(verifyToken, ({ body }) => verifyBearer(body.token));
}
