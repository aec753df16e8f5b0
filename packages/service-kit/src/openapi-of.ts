import { errorCatalogue, problemSchema, type ErrorCode, type RouteAuth, type RouteContract } from '@switchboard/contracts';
import { z } from 'zod';

type Json = Record<string, unknown>;

/** Codes that a route may answer by its kind, besides those its contract names. */
const codesOfEvery: readonly ErrorCode[] = ['request.invalid', 'internal'];
const codesWithBody: readonly ErrorCode[] = ['request.not_json', 'request.too_large'];

/** The schemes of which one is enough; a list beside each holds the scopes it must have. */
const schemesOf = { public: [], key: ['apiKey', 'session'], member: ['session'], admin: ['adminKey', 'session'], internal: ['internalToken'] } as const satisfies Record<RouteAuth, readonly string[]>;

/** A route by the name that callers know it by, and the heading it stands under. */
export type DescribedRoute = { readonly name: string; readonly tag: string; readonly contract: RouteContract };

const idempotencyKey = { name: 'Idempotency-Key', in: 'header', required: false, description: 'Names the request: a repetition answers what the first one made.', schema: { type: 'string', maxLength: 255 } };

/** OpenAPI 3.1 of these routes. Input schemas are described as they are sent, replies as they are answered. */
export function openApiOf(routes: readonly DescribedRoute[], about: { readonly title: string; readonly version: string; readonly servers?: readonly string[] }): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = route.contract.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.contract.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: { title: about.title, version: about.version },
    ...(about.servers === undefined ? {} : { servers: about.servers.map((url) => ({ url })) }),
    paths,
    components: {
      schemas: { Problem: schemaOf(problemSchema, 'output') },
      securitySchemes: {
        apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
        session: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        adminKey: { type: 'http', scheme: 'bearer' },
        internalToken: { type: 'apiKey', in: 'header', name: 'x-switchboard-internal' },
      },
    },
  };
}

function operationOf({ name, tag, contract }: DescribedRoute): Json {
  return {
    operationId: name,
    tags: [tag],
    summary: contract.summary,
    ...(contract.roles === undefined ? {} : { description: `Only for ${contract.roles.join(', ')}.` }),
    security: securityOf(contract),
    parameters: [...parametersOf(contract.params, 'path'), ...parametersOf(contract.query, 'query'), ...(contract.isRepeatable === true ? [idempotencyKey] : [])],
    ...(contract.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: schemaOf(contract.body, 'input') } } } }),
    responses: { ...repliesOf(contract), ...problemsOf(contract) },
  };
}

/** Each of a list is enough. Where the platform and a tenant have one path, a tenant's credentials need its scopes; staff have none. */
function securityOf({ auth, scopes = [], self }: RouteContract): Record<string, readonly string[]>[] {
  const own = self?.at === 'same-path' ? schemesOf.key.map((scheme) => ({ [scheme]: self.scopes })) : [];
  return [...schemesOf[auth].map((scheme) => ({ [scheme]: scopes })), ...own];
}

function repliesOf({ reply: { status, statusOfRepetition, schema, mediaType } }: RouteContract): Json {
  const content = status === 204 || status === 302 ? {} : { content: { [mediaType ?? 'application/json']: { schema: schemaOf(schema, 'output') } } };
  return {
    [status]: { description: status === 302 ? 'Leads the browser on' : 'OK', ...content },
    ...(statusOfRepetition === undefined ? {} : { [statusOfRepetition]: { description: 'It was there already', ...content } }),
  };
}

function parametersOf(schema: z.ZodType | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input') as { properties?: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, property]) => ({ name, in: place, required: place === 'path' || required.includes(name), schema: property }));
}

/** One response for each status, with the codes it may carry. */
function problemsOf(contract: RouteContract): Json {
  const codes = new Set<ErrorCode>([...codesOfEvery, ...(contract.auth === 'public' ? [] : ['auth.missing' as const]), ...(contract.scopes === undefined && contract.self?.at !== 'same-path' ? [] : ['auth.scope_missing' as const]), ...(contract.body === undefined ? [] : codesWithBody), ...(contract.errors ?? [])]);
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of codes) byStatus.set(errorCatalogue[code].status, [...(byStatus.get(errorCatalogue[code].status) ?? []), code]);
  return Object.fromEntries(
    [...byStatus].map(([status, of]) => [
      status,
      {
        description: of.map((code) => `\`${code}\`: ${errorCatalogue[code].title}`).join('; '),
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  );
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  // Transforms have no JSON form; ours only brand or trim, so what goes in describes them. Registered schemas are written out in place.
  const { $schema: _, ...json } = z.toJSONSchema(schema, { io, unrepresentable: 'any', override: ({ zodSchema, jsonSchema }) => describeTransform(zodSchema, jsonSchema) }) as Json;
  return json;
}

function describeTransform(schema: z.core.$ZodTypes, json: Json): void {
  if (!(schema instanceof z.ZodPipe) || !(schema.def.out instanceof z.ZodTransform)) return;
  Object.assign(json, schemaOf(schema.def.in as z.ZodType, 'input')); // schemas made with the classic API are ZodTypes
}
