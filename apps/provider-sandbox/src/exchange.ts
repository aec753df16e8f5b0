import type { IncomingMessage, ServerResponse } from 'node:http';

/** Bytes a request to the sandbox may have; Meta's largest upload is a 100 MB document. */
const bodyMaxBytes = 110 * 1024 * 1024;

/** One request with its body read, as the sandbox's handlers see it. */
export type Exchange = {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly match: readonly string[];
};

export type Answer = { readonly status: number; readonly json?: unknown; readonly bytes?: Buffer; readonly headers?: Readonly<Record<string, string>> };

/** Method, path (`:name` matches one segment) and handler; the tables in meta/, genesys/ and control/ are made of these. */
export type SandboxRoute = { readonly method: string; readonly path: string; readonly handle: (exchange: Exchange) => Promise<Answer> | Answer };

/** The route for a request and what its `:names` matched, in order. */
export function findRoute<Route extends { readonly method: string; readonly path: string }>(routes: readonly Route[], method: string, path: string): { route: Route; match: string[] } | undefined {
  for (const route of routes) {
    if (route.method !== method) continue;
    const match = patternOf(route.path).exec(path);
    if (match) return { route, match: match.slice(1).map(decodeURIComponent) };
  }
  return undefined;
}

const patterns = new Map<string, RegExp>();

function patternOf(path: string): RegExp {
  const known = patterns.get(path) ?? new RegExp(`^${path.replaceAll(/:[a-zA-Z]+/g, '([^/]+)')}/?$`);
  patterns.set(path, known);
  return known;
}

export async function readExchange(request: IncomingMessage): Promise<Omit<Exchange, 'match'>> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > bodyMaxBytes) throw new Error('body too large');
    chunks.push(chunk);
  }
  return { method: request.method ?? 'GET', url: new URL(request.url ?? '/', 'http://sandbox'), headers: request.headers, body: Buffer.concat(chunks) };
}

export function writeAnswer(response: ServerResponse, answer: Answer): void {
  const body = answer.bytes ?? (answer.json === undefined ? Buffer.alloc(0) : Buffer.from(JSON.stringify(answer.json)));
  response.writeHead(answer.status, { ...(answer.json === undefined ? {} : { 'content-type': 'application/json; charset=UTF-8' }), ...answer.headers, 'content-length': body.length });
  response.end(body);
}

/** The JSON object in the body; undefined when it is not one. */
export function jsonObjectOf(exchange: Pick<Exchange, 'body'>): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(exchange.body.toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function bearerOf(exchange: Pick<Exchange, 'headers'>): string | undefined {
  return /^Bearer (.+)$/i.exec(exchange.headers.authorization ?? '')?.[1];
}
