import { hubError } from '@switchboard/contracts';
import { sendProblem } from '@switchboard/service-kit';
import { currentTrace, runWithTrace, type Trace } from '@switchboard/tenant-context';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { Pool, type Dispatcher } from 'undici';

/**
 * Headers that pass from outside, and no others: what names an identity (x-tenant-id, x-switchboard-*, x-internal-*, forwarded users,
 * authorization, cookies, the key itself) cannot be forgotten in a list of what to strip.
 */
const passedHeaders = ['accept', 'accept-encoding', 'accept-language', 'content-type', 'content-length', 'content-encoding', 'idempotency-key', 'if-match', 'if-none-match', 'user-agent'] as const;

/** RFC 9110 §7.6.1: about one connection, not about the answer. */
const hopHeaders = new Set(['connection', 'keep-alive', 'proxy-authenticate', 'proxy-connection', 'te', 'trailer', 'transfer-encoding', 'upgrade']);

/** Bytes. The services have tighter limits of their own by route. */
const bodyMaxBytes = 2 * 1024 * 1024;
/** Bytes. Bodies up to here are read whole before a connection to the service is taken, so that a slow sender holds none; the text of a message fits. */
const gatheredMaxBytes = 64 * 1024;
const connectTimeoutMs = 1_000;

export interface Forwarder {
  /** Streams the request to the service and the answer back; ends when the answer has ended. `headers` are added. */
  forward(request: IncomingMessage, response: ServerResponse, headers: Readonly<Record<string, string>>): Promise<void>;
  close(): Promise<void>;
}

export function createForwarder({ origin, timeoutMs }: { readonly origin: string; readonly timeoutMs: number }): Forwarder {
  const pool = new Pool(origin, { connections: 128, pipelining: 1, connect: { timeout: connectTimeoutMs }, keepAliveTimeout: 30_000, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
  return {
    async forward(request, response, headers) {
      const length = Number(request.headers['content-length'] ?? 0);
      if (length > bodyMaxBytes) throw hubError('request.too_large', { publicMessage: `Send a body of at most ${bodyMaxBytes} bytes.` });
      const method = methodOf(request);
      const trace = currentTrace();
      const body = !hasBody(request) ? null : length > 0 && length <= gatheredMaxBytes ? await gather(request) : request;
      // The caller went away meanwhile.
      if (body === undefined || response.destroyed) return;
      await new Promise<void>((resolve) => {
        pool.dispatch({ path: request.url ?? '/', method, headers: { ...passed(request.headers), ...headersOf(trace), ...headers }, body }, streamBack(response, trace, resolve));
      });
    },
    close: () => pool.close(),
  };
}

/** The whole body; undefined when the caller broke it off. */
async function gather(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', resolve).once('close', resolve);
    // Said by `complete` below; without a listener it would end the process.
    request.once('error', () => undefined);
  });
  return request.complete ? Buffer.concat(chunks) : undefined;
}

function streamBack(response: ServerResponse, trace: Trace | undefined, done: () => void): Dispatcher.DispatchHandler {
  let controller: Dispatcher.DispatchController | undefined;
  let sent = false;
  response.once('close', () => {
    // The caller went away: no use in the rest.
    if (!response.writableFinished) controller?.abort(new Error('the caller is gone'));
    done();
  });
  response.on('drain', () => controller?.resume());
  return {
    onRequestStart(started) {
      controller = started;
      sent = true;
      if (response.destroyed) started.abort(new Error('the caller is gone'));
    },
    onResponseStart(_, status, headers) {
      response.statusCode = status;
      for (const name in headers) {
        // The gateway's own (helmet, request id, limits) stay.
        if (!hopHeaders.has(name) && !response.hasHeader(name)) response.setHeader(name, headers[name] ?? '');
      }
    },
    onResponseData(_, chunk) {
      if (!response.write(chunk)) controller?.pause();
    },
    onResponseEnd() {
      response.end();
    },
    onResponseError(_, error) {
      if (response.destroyed) return;
      const answer = () => sendProblem(response, translate(error, sent));
      // Called from the connection to the service, whose asynchronous context is that of the request it was opened for.
      if (trace === undefined) answer();
      else runWithTrace(trace, answer);
    },
  };
}

function translate(error: Error, sent: boolean) {
  const { code } = error as { code?: unknown };
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') return hubError('service.timeout', { cause: error });
  // Before the request was on its way it can safely be sent again; afterwards it may have been carried out.
  return sent ? hubError('service.broke_off', { cause: error }) : hubError('service.unavailable', { cause: error });
}

function passed(headers: IncomingHttpHeaders): Record<string, string> {
  const copy: Record<string, string> = {};
  for (const name of passedHeaders) {
    const value = headers[name];
    if (typeof value === 'string') copy[name] = value;
  }
  return copy;
}

function headersOf(trace: Trace | undefined): Record<string, string> {
  return trace === undefined ? {} : { 'x-request-id': trace.requestId, ...(trace.traceparent === undefined ? {} : { traceparent: trace.traceparent }) };
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] !== undefined && headers['content-length'] !== '0');
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function methodOf({ method = '' }: IncomingMessage): Dispatcher.HttpMethod {
  if (!methods.has(method)) throw hubError('route.not_found');
  return method as Dispatcher.HttpMethod; // one of the set above
}
