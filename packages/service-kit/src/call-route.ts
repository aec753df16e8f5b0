import { errorCatalogue, hubError, problemSchema, type ErrorCode, type ReplyOf, type RouteContract } from '@switchboard/contracts';
import { currentScope, currentTrace } from '@switchboard/tenant-context';
import { Agent } from 'undici';
import { internalTokenHeader } from './internal-token.ts';
import type { CallInput, CallRoute, InternalClaims, ServiceName } from './port.ts';

/** Milliseconds for a call whose caller does not say: internal answers take milliseconds, a stuck neighbour must not hold a consumer long. */
const timeoutMsDefault = 5_000;
const connectTimeoutMs = 1_000;
/** Connections to one neighbour. */
const connectionsMax = 64;

export type CallRouteOptions = {
  readonly urlsOf: (service: ServiceName) => readonly [string, ...string[]];
  readonly signToken: (audience: ServiceName, claims: InternalClaims) => string;
};

/** Internal calls over kept-alive connections; see `CallRoute` for the promise. `close` ends the connections. */
export function createCallRoute({ urlsOf, signToken }: CallRouteOptions): { readonly callRoute: CallRoute; readonly close: () => Promise<void> } {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connections: connectionsMax, connect: { timeout: connectTimeoutMs }, keepAliveTimeout: 30_000 });

  let turn = 0;
  // Several processes of a service take turns.
  const originOf = (urls: readonly [string, ...string[]]) => urls[turn++ % urls.length] ?? urls[0];

  const callRoute: CallRoute = async (service, contract, input) => {
    const scope = currentScope();
    const trace = currentTrace();
    const timeoutMs = input.timeoutMs ?? timeoutMsDefault;
    const { status, body } = await exchange(agent, {
      service,
      origin: originOf(urlsOf(service)),
      path: pathOf(contract, input),
      method: contract.method,
      timeoutMs,
      body: contract.body === undefined ? undefined : JSON.stringify(input.body ?? {}),
      headers: {
        [internalTokenHeader]: signToken(service, scope.kind === 'tenant' ? { tenantId: scope.tenantId } : {}),
        ...(trace === undefined ? {} : { 'x-request-id': trace.requestId }),
        ...(trace?.traceparent === undefined ? {} : { traceparent: trace.traceparent }),
      },
    });
    if (status >= 400) throw errorOf(service, status, body);
    if (contract.reply.status === 204) return undefined as ReplyOf<typeof contract>; // 204 has no body: the contract's schema is void or undefined
    const parsed = contract.reply.schema.safeParse(parseJson(body));
    if (!parsed.success) throw hubError('internal', { detail: { service, path: contract.path, reason: 'the reply does not fit the contract' }, cause: parsed.error });
    return parsed.data as ReplyOf<typeof contract>; // parsed by this contract's reply schema
  };
  return { callRoute, close: () => agent.close() };
}

type Exchange = {
  readonly service: ServiceName;
  readonly origin: string;
  readonly path: string;
  readonly method: RouteContract['method'];
  readonly timeoutMs: number;
  readonly body: string | undefined;
  readonly headers: Record<string, string>;
};

async function exchange(agent: Agent, call: Exchange): Promise<{ status: number; body: string }> {
  // Not AbortSignal.timeout(): that one cannot be stopped, and each call that was answered long ago would still end in an error object of its own.
  const clock = new AbortController();
  const timer = setTimeout(() => clock.abort(new DOMException('no answer in time', 'TimeoutError')), call.timeoutMs);
  try {
    const answer = await agent.request({
      origin: call.origin,
      path: call.path,
      method: call.method,
      headers: call.body === undefined ? call.headers : { ...call.headers, 'content-type': 'application/json' },
      body: call.body ?? null,
      // One clock over connecting, waiting and reading.
      signal: clock.signal,
    });
    return { status: answer.statusCode, body: await answer.body.text() };
  } catch (cause) {
    const late = clock.signal.aborted;
    throw hubError(late ? 'service.timeout' : 'service.unavailable', { detail: { service: call.service, path: call.path }, cause });
  } finally {
    clearTimeout(timer);
  }
}

/** The error that the other service answered, by its code; an answer that is no problem of ours is the service being away (a proxy's page). */
function errorOf(service: ServiceName, status: number, body: string): Error {
  const problem = problemSchema.safeParse(parseJson(body));
  const detail = { service, status };
  if (!problem.success || !isErrorCode(problem.data.code)) return hubError(status >= 500 ? 'service.unavailable' : 'internal', { detail });
  const { code, detail: publicMessage, issues, requestId } = problem.data;
  return hubError(code, { publicMessage, issues, detail: { ...detail, requestId } });
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(errorCatalogue, code);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function pathOf(contract: RouteContract, input: CallInput<RouteContract>): string {
  const params = (input.params ?? {}) as Readonly<Record<string, string>>; // params of a contract are an object of strings
  const path = contract.path.replaceAll(/:(\w+)/g, (_, name: string) => {
    const value = params[name];
    if (value === undefined) throw new TypeError(`call of ${contract.path} without ${name}`);
    return encodeURIComponent(value);
  });
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries((input.query ?? {}) as Readonly<Record<string, unknown>>)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}
