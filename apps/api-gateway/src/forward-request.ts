import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import { sendProblem } from '@switchboard/service-kit';
import { currentTrace, runWithTrace, type Trace } from '@switchboard/tenant-context';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Dispatcher } from 'undici';
import { readBody, type Body } from './read-body.ts';
import type { Lease, Outcome, Upstream } from './upstream/create-upstream.ts';

export type Forwarding = {
  readonly upstream: Upstream;
  /** With the query. */
  readonly path: string;
  /** Added to what passes from outside. */
  readonly headers: Readonly<Record<string, string>>;
  /** Only where the service itself sets cookies: for people's log-in. */
  readonly passesCookies: boolean;
};

/**
 * Headers that pass from outside, and no others: what names an identity (x-tenant-id, x-switchboard-*, x-internal-*, forwarded users,
 * authorization, cookies, the key itself) cannot be forgotten in a list of what to strip.
 */
const passedHeaders = ['accept', 'accept-encoding', 'accept-language', 'content-type', 'content-length', 'content-encoding', 'idempotency-key', 'if-match', 'if-none-match', 'tracestate', 'user-agent'] as const;

/** RFC 9110 §7.6.1: about one connection, not about the answer. What pages may read is said by the gateway alone. */
const droppedHeaders = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'access-control-allow-origin', 'access-control-allow-credentials']);

/** Bytes. Answers up to here that come in one piece are sent in one piece: most are, and each piece costs a call of the system. */
const wholeMaxBytes = 16 * 1024;

/** RFC 9110 §9.2.2. A request that carries an Idempotency-Key is one by its caller's word. */
const idempotentMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS']);

/** Streams the request to the service and the answer back; ends when the answer has ended. Throws only before anything is sent. */
export async function forwardRequest(request: IncomingMessage, response: ServerResponse, { upstream, path, headers, passesCookies }: Forwarding): Promise<void> {
  const method = methodOf(request);
  const trace = currentTrace();
  const read = readBody(request);
  const body = read instanceof Promise ? await read : read;
  // The caller went away meanwhile.
  if (body === undefined || response.destroyed) return;
  const held = upstream.lease();
  const lease = held instanceof Promise ? await held : held;
  if (response.destroyed) return lease.end('abandoned');
  const sent: Record<string, string> = {};
  pass(request.headers, sent);
  if (passesCookies && request.headers.cookie !== undefined) sent['cookie'] = request.headers.cookie;
  if (trace !== undefined) tell(trace, sent);
  Object.assign(sent, headers);
  const isRepeatable = isWhole(body) && (idempotentMethods.has(method) || sent['idempotency-key'] !== undefined);
  await new Promise<void>((done) => {
    const exchange = new Exchange(response, trace, done);
    const dispatch = (to: Lease, retry: (() => void) | undefined) => {
      exchange.begin(to, retry);
      sent['host'] = to.host;
      to.pool.dispatch({ path, method, headers: sent, body }, exchange);
    };
    dispatch(lease, isRepeatable ? () => again() : undefined);

    function again(): void {
      const other = exchange.lease?.another();
      if (other === undefined) exchange.fail(unreachable(), 'unreachable');
      else dispatch(other, undefined);
    }
  });
}

/** One request at the service and its answer to the caller. */
class Exchange implements Dispatcher.DispatchHandler {
  lease: Lease | undefined;
  readonly #response: ServerResponse;
  readonly #trace: Trace | undefined;
  #retry: (() => void) | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  /** Of the answer's body, where it was said. */
  #length: number | undefined;
  /** The body, when it came in one piece. */
  #whole: Buffer | undefined;
  #isSent = false;
  #hasAnswer = false;

  constructor(response: ServerResponse, trace: Trace | undefined, done: () => void) {
    this.#response = response;
    this.#trace = trace;
    response.once('close', () => {
      // The caller went away: no use in the rest.
      if (!response.writableFinished) {
        this.#controller?.abort(new Error('the caller is gone'));
        this.lease?.end('abandoned');
      }
      done();
    });
  }

  /** `retry` is called instead of answering when nobody was there to send to. */
  begin(lease: Lease, retry: (() => void) | undefined): void {
    this.lease = lease;
    this.#retry = retry;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.#isSent = true;
    if (this.#response.destroyed) controller.abort(new Error('the caller is gone'));
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    this.#hasAnswer = true;
    const response = this.#response;
    response.statusCode = status;
    const length = headers['content-length'];
    if (length !== undefined) this.#length = Number(length);
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined || droppedHeaders.has(name)) continue;
      // The gateway's own (helmet, request id, limits) stay; what an answer depends on adds up.
      if (name === 'vary') response.setHeader(name, `${String(response.getHeader(name) ?? '')}, ${String(value)}`.replace(/^, /, ''));
      else if (!response.hasHeader(name)) response.setHeader(name, value);
    }
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (chunk.length === this.#length && chunk.length <= wholeMaxBytes) {
      this.#whole = chunk;
      return;
    }
    if (this.#response.write(chunk)) return;
    controller.pause();
    this.#response.once('drain', () => controller.resume());
  }

  onResponseEnd(): void {
    this.lease?.end('answered');
    if (this.#whole === undefined) this.#response.end();
    // As a text node sends it in one piece with the head; each byte is one character of latin1.
    else this.#response.end(this.#whole.toString('latin1'), 'latin1');
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    if (this.#response.destroyed) this.lease?.end('abandoned');
    else if (isHubError(error)) this.fail(error, 'abandoned');
    else if (isTimeout(error)) this.fail(hubError('service.timeout', { cause: error, retry: comeBack }), 'failed');
    // Once it was on its way it may have been carried out.
    else if (this.#isSent) this.fail(hubError('service.broke_off', { cause: error, retry: comeBack }), 'failed');
    else if (this.#retry !== undefined) this.#retry();
    else this.fail(unreachable(error), 'unreachable');
  }

  fail(error: HubError, outcome: Outcome): void {
    this.lease?.end(this.#hasAnswer && outcome === 'abandoned' ? 'answered' : outcome);
    const answer = () => sendProblem(this.#response, error);
    // Called from the connection to the service, whose asynchronous context is that of the request it was opened for.
    if (this.#trace === undefined) answer();
    else runWithTrace(this.#trace, answer);
  }
}

/** What a caller is told to wait: about the time a process needs to come back. */
const comeBack = { afterMs: 1_000 } as const;

function unreachable(cause?: Error): HubError {
  return hubError('service.unavailable', { cause, retry: comeBack });
}

function isTimeout(error: Error): boolean {
  const { code } = error as { code?: unknown };
  return code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT';
}

/** A body that can be sent a second time. */
function isWhole(body: Body): boolean {
  return body === null || Buffer.isBuffer(body);
}

function pass(headers: IncomingHttpHeaders, sent: Record<string, string>): void {
  for (const name of passedHeaders) {
    const value = headers[name];
    if (typeof value === 'string') sent[name] = value;
  }
}

function tell({ requestId, traceparent }: Trace, sent: Record<string, string>): void {
  sent['x-request-id'] = requestId;
  if (traceparent !== undefined) sent['traceparent'] = traceparent;
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);

function methodOf({ method = '' }: IncomingMessage): Dispatcher.HttpMethod {
  if (!methods.has(method)) throw hubError('route.not_found');
  return method as Dispatcher.HttpMethod; // one of the set above
}
