import { defineRouteContract, hubError, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { currentScope, currentTenant } from '@switchboard/tenant-context';
import { z } from 'zod';
import { defineRoute, defineService, reply, type ServiceParts } from '../src/index.ts';

/** A service with one route of each kind: what the kit promises is shown on it. */

const thing = z.object({ thingId: z.string(), name: z.string() });

export const createThing = defineRouteContract({
  method: 'POST',
  path: '/things',
  summary: 'Make a thing',
  auth: 'key',
  scopes: ['state:write'],
  body: z.object({ name: z.string().min(1).max(20), tags: z.array(z.object({ tag: z.string() })).optional() }),
  reply: { status: 201, schema: thing },
  bodyMaxBytes: 1_000,
});

export const getThing = defineRouteContract({
  method: 'GET',
  path: '/things/:thingId',
  summary: 'One thing',
  auth: 'key',
  scopes: ['state:read'],
  params: z.object({ thingId: z.string() }),
  query: z.object({ verbose: z.enum(['yes', 'no']).default('no') }),
  reply: { status: 200, schema: thing },
  errors: ['media.not_found'],
});

export const getTenantThing = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/scope',
  summary: 'The scope an admin route runs in',
  auth: 'admin',
  params: z.object({ tenantId: tenantIdSchema }),
  reply: { status: 200, schema: z.object({ scope: z.string() }) },
});

export const getSystemScope = defineRouteContract({ method: 'GET', path: '/scope', summary: 'The scope without a tenant', auth: 'admin', reply: { status: 200, schema: z.object({ scope: z.string() }) } });

export const whoCalls = defineRouteContract({
  method: 'POST',
  path: '/internal/who/:name',
  summary: 'Who calls',
  auth: 'internal',
  callers: ['state-manager'],
  params: z.object({ name: z.string() }),
  query: z.object({ n: z.coerce.number().default(1) }),
  body: z.object({ wait: z.number().optional() }),
  reply: { status: 200, schema: z.object({ scope: z.string(), service: z.string(), name: z.string(), n: z.number() }) },
});

export const removeThing = defineRouteContract({ method: 'DELETE', path: '/things', summary: 'Remove all', auth: 'public', reply: { status: 204, schema: z.void() } });

export const misbehave = defineRouteContract({
  method: 'GET',
  path: '/misbehave/:how',
  summary: 'Ways to fail',
  auth: 'public',
  params: z.object({ how: z.string() }),
  reply: { status: 200, schema: z.object({ ok: z.boolean() }) },
});

const scopeText = () => {
  const scope = currentScope();
  return scope.kind === 'tenant' ? scope.tenantId : scope.kind;
};

export function sampleService(more: Partial<ServiceParts> = {}) {
  return defineService({
    name: 'auth-service',
    port: 0,
    config: z.object({ greeting: z.string().default('hello').describe('what it says') }),
    build: (kit) => {
      const things = new Map<string, { tenantId: TenantId; name: string }>();
      return {
        ...more,
        routes: [
          ...(more.routes ?? []),
          defineRoute(createThing, ({ body }) => {
            const thingId = `t${things.size}`;
            things.set(thingId, { tenantId: currentTenant(), name: body.name });
            kit.log.info('made');
            return reply({ thingId, name: body.name }, { headers: { location: `/things/${thingId}` } });
          }),
          defineRoute(getThing, ({ params }) => {
            const found = things.get(params.thingId);
            if (found?.tenantId !== currentTenant()) throw hubError('media.not_found');
            return { thingId: params.thingId, name: found.name };
          }),
          defineRoute(getTenantThing, () => ({ scope: scopeText() })),
          defineRoute(getSystemScope, () => ({ scope: scopeText() })),
          defineRoute(removeThing, () => undefined),
          defineRoute(whoCalls, async ({ params, query, body, principal }) => {
            if (body.wait !== undefined) await new Promise((resolve) => setTimeout(resolve, body.wait));
            if (params.name === 'fails') throw hubError('connection.not_found', { publicMessage: 'No such connection here.' });
            return { scope: scopeText(), service: principal.kind === 'service' ? principal.service : '', name: params.name, n: query.n };
          }),
          defineRoute(misbehave, ({ params }): { ok: boolean } => {
            if (params.how === 'throw') throw new Error('SELECT password FROM users -- hunter2');
            if (params.how === 'later') throw hubError('provider.throttled', { retry: { afterMs: 2_500 }, detail: { inside: 'hunter2' } });
            if (params.how === 'extra') return { ok: true, secret: 'hunter2' } as { ok: boolean };
            return { ok: true };
          }),
        ],
      };
    },
  });
}
