import type { ReplyOf, RouteContract } from '@switchboard/contracts';
import type { Route, RouteInput } from '../port.ts';
import type { Reply } from './reply.ts';

/** Binds a handler to its contract. What it returns is checked against the contract's reply schema before it is sent; `reply(value, { headers })` adds headers. */
export function defineRoute<C extends RouteContract>(contract: C, handle: (input: RouteInput<C>) => Promise<ReplyOf<C> | Reply<ReplyOf<C>>> | ReplyOf<C> | Reply<ReplyOf<C>>): Route {
  // The cast is safe: the kit parses the input with this very contract's schemas before it calls the handler.
  return { contract, handle: async (input) => handle(input as RouteInput<C>) };
}
