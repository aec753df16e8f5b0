import { hubError, type RouteContract } from '@switchboard/contracts';
import { runAsSystem, runAsTenant, runWithActor } from '@switchboard/tenant-context';
import express, { type Request, type RequestHandler, type Response } from 'express';
import type { Route } from '../port.ts';
import { tenantOf, type Authenticate } from './authenticate.ts';
import { inputParser, replyCheck } from './parse-input.ts';
import { Reply } from './reply.ts';

/** Bytes of a JSON body where the contract does not say: the longest text of a message in UTF-8, and its envelope. */
const bodyMaxBytesDefault = 512 * 1024;

/** A route as Express runs it: who calls → body → input by the contract → handler in its tenant's scope → reply by the contract. */
export function contractHandler(route: Route, authenticate: Authenticate): RequestHandler {
  const { contract, handle } = route;
  const parseInput = inputParser(contract);
  const checkReply = replyCheck(contract);
  const readBody = bodyReader(contract);
  const routeName = `${contract.method} ${contract.path}`;

  return async (request, response) => {
    // Before the body: strangers do not get to make us parse.
    const { principal, actor } = authenticate(contract, request);
    const body = await readBody(request, response);
    const input = { ...parseInput({ params: request.params, query: request.query, body }), principal, idempotencyKey: idempotencyKeyOf(request), cookie: request.headers.cookie };
    const tenantId = tenantOf(contract, principal, request.params);
    const result = await runWithActor(actor, () => (tenantId === undefined ? runAsSystem(`${principal.kind} call: ${routeName}`, () => handle(input)) : runAsTenant(tenantId, () => handle(input))));

    const value: unknown = result instanceof Reply ? result.value : result;
    const hasBody = contract.reply.status !== 204 && contract.reply.status !== 302;
    if (hasBody) {
      const issues = checkReply(value);
      // A reply that is not what the contract promises is a defect, and may hold what must not leave.
      if (issues !== undefined) throw hubError('internal', { detail: { route: routeName, replyIssues: issues } });
    }
    const options = result instanceof Reply ? result.options : {};
    if (options.headers !== undefined) response.set(options.headers);
    response.status(options.status ?? contract.reply.status);
    if (!hasBody) response.end();
    else if (contract.reply.mediaType === undefined) send(response, JSON.stringify(value), 'application/json');
    else send(response, value as string, contract.reply.mediaType); // its schema, checked above, takes strings alone
  };
}

/** Characters of an Idempotency-Key: it is stored with what it made. */
const idempotencyKeyMax = 255;

function idempotencyKeyOf({ headers }: Request): string | undefined {
  const key = headers['idempotency-key'];
  if (key === undefined || key === '') return undefined;
  if (typeof key !== 'string' || key.length > idempotencyKeyMax) throw hubError('request.invalid', { issues: [{ path: 'headers.idempotency-key', message: `is longer than ${idempotencyKeyMax} characters` }] });
  return key;
}

function send(response: Response, text: string, mediaType: string): void {
  // Not response.json(): it looks into settings, computes ETags and re-reads its own content type on every call.
  const body = Buffer.from(text);
  response.setHeader('content-type', `${mediaType}; charset=utf-8`);
  response.setHeader('content-length', body.length);
  if (!response.hasHeader('cache-control')) response.setHeader('cache-control', 'no-store');
  response.end(body);
}

function bodyReader(contract: RouteContract): (request: Request, response: Response) => Promise<unknown> {
  if (contract.body === undefined) return async () => undefined;
  const parseJson = express.json({ limit: contract.bodyMaxBytes ?? bodyMaxBytesDefault, strict: false, type: () => true });
  return async (request, response) => {
    const { 'content-length': length, 'transfer-encoding': encoding, 'content-type': type } = request.headers;
    // No body at all is an empty object: the schema says which fields are missing.
    if (encoding === undefined && (length === undefined || length === '0')) return {};
    if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type ?? '')) throw hubError('request.not_json');
    await new Promise<void>((resolve, reject) => {
      parseJson(request, response, (error?: unknown) => (error === undefined ? resolve() : reject(error as Error)));
    });
    return request.body as unknown;
  };
}
