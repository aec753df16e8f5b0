import { hubError } from '@switchboard/contracts';
import { runWithTrace } from '@switchboard/tenant-context';
import express, { type ErrorRequestHandler } from 'express';
import helmet from 'helmet';
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { RawRoute, Route } from '../port.ts';
import type { Authenticate } from './authenticate.ts';
import { beginTrace } from './begin-trace.ts';
import { contractHandler } from './contract-handler.ts';
import type { HttpMetrics } from './http-metrics.ts';
import { sendProblem, toHubError } from './problem.ts';

/** Milliseconds an idle connection is kept: longer than the 60 s of common load balancers, so that it is they who close it. */
const keepAliveTimeoutMs = 65_000;
/** Milliseconds for a whole request to arrive; slow senders are cut off. */
const requestTimeoutMs = 30_000;

export type ServerOptions = {
  readonly routes: readonly Route[];
  readonly rawRoutes: readonly RawRoute[];
  readonly authenticate: Authenticate;
  readonly log: Logger;
  readonly metrics: HttpMetrics;
  /** True from the first signal on: answers ask for the connection to be closed. */
  readonly isDraining: () => boolean;
};

/** The service's HTTP server: raw routes first, by regular expression and before any parser; then the contracts' routes in Express. */
export function createServer(options: ServerOptions): Server {
  const { rawRoutes, log, metrics } = options;
  const app = createApp(options);

  const onRequest = (request: IncomingMessage, response: ServerResponse) => {
    const startedAt = performance.now();
    const trace = beginTrace(request);
    response.setHeader('x-request-id', trace.requestId);
    if (options.isDraining()) response.setHeader('connection', 'close');
    const path = pathOf(request.url ?? '/');
    const raw = findRaw(rawRoutes, request.method ?? '', path);
    // What a raw handler did not name and Express did not find is one label, so that scanners cannot make metrics grow.
    const seen = request as SeenRequest;
    seen.routeLabel = raw === undefined ? 'none' : (raw.route.name ?? raw.route.pattern.source);
    response.once('close', () => {
      metrics.observe({ method: labelOfMethod(request.method), route: seen.routeLabel, status: response.statusCode }, (performance.now() - startedAt) / 1000);
    });
    runWithTrace(trace, () => {
      if (raw === undefined) app(request, response);
      else void runRaw(raw, request, response, (error) => answerError(error, seen, response, log, metrics));
    });
  };

  const server = createHttpServer({ keepAliveTimeout: keepAliveTimeoutMs, requestTimeout: requestTimeoutMs }, onRequest);
  return server;
}

type SeenRequest = IncomingMessage & { routeLabel: string };

/** For a raw route that stands for many: under which of a bounded number of names this request counts in /metrics and stands in the log. */
export function labelRoute(request: IncomingMessage, label: string): void {
  (request as SeenRequest).routeLabel = label; // the very object that createServer labelled
}

function createApp({ routes, authenticate, log, metrics }: ServerOptions): express.Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use(helmet());
  for (const route of routes) {
    const handler = contractHandler(route, authenticate);
    app[methodOf(route)](route.contract.path, (request, response, next) => {
      (request as unknown as SeenRequest).routeLabel = route.contract.path; // set on the same object by createServer
      return handler(request, response, next);
    });
  }
  app.use(() => {
    throw hubError('route.not_found');
  });
  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    answerError(error, request as unknown as SeenRequest, response, log, metrics);
  };
  app.use(onError);
  return app;
}

/** The error middleware: every error of a request ends here, once. */
function answerError(thrown: unknown, request: SeenRequest, response: ServerResponse, log: Logger, metrics: HttpMetrics): void {
  const error = toHubError(thrown);
  const fields = { method: request.method, route: request.routeLabel, code: error.code, status: error.status };
  if (error.status >= 500) {
    if (error.code === 'internal') metrics.failed(request.routeLabel);
    log.error({ ...fields, err: error }, 'request failed');
  } else {
    log.debug({ ...fields, detail: error.detail }, 'request refused');
  }
  sendProblem(response, error);
}

async function runRaw(found: Found, request: IncomingMessage, response: ServerResponse, onError: (error: unknown) => void): Promise<void> {
  try {
    await found.route.handle(request, response, found.match);
  } catch (error) {
    onError(error);
  }
}

type Found = { readonly route: RawRoute; readonly match: RegExpMatchArray };

function findRaw(rawRoutes: readonly RawRoute[], method: string, path: string): Found | undefined {
  for (const route of rawRoutes) {
    if (route.method !== method && route.method !== '*') continue;
    const match = route.pattern.exec(path);
    if (match !== null) return { route, match };
  }
  return undefined;
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function methodOf(route: Route): 'get' | 'post' | 'put' | 'patch' | 'delete' {
  // The contract's methods in lower case are exactly these.
  return route.contract.method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

function labelOfMethod(method: string | undefined): string {
  return method !== undefined && methods.has(method) ? method : 'other';
}
