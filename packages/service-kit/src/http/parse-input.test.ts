import { describe, expect, it } from '@jest/globals';
import { defineRouteContract, isHubError, messageContentSchema, tenantIdSchema } from '@switchboard/contracts';
import fc from 'fast-check';
import { z } from 'zod';
import { inputParser, replyCheck } from './parse-input.ts';

const contract = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/things',
  summary: '',
  auth: 'admin',
  params: z.object({ tenantId: tenantIdSchema }),
  query: z.object({ limit: z.coerce.number().int().max(10).default(5) }),
  body: z.object({
    name: z.string(),
    items: z.array(z.object({ id: z.number() })).default([]),
    content: messageContentSchema.optional(),
    free: z.record(z.string(), z.unknown()).optional(),
    open: z.looseObject({ a: z.string() }).optional(),
    either: z.union([z.object({ x: z.string() }), z.object({ y: z.string(), z: z.string() })]).optional(),
    nullable: z.object({ deep: z.string() }).nullable().optional(),
  }),
  reply: { status: 200, schema: z.object({ data: z.array(z.object({ id: z.string() })), tenantId: tenantIdSchema }) },
});
const parse = inputParser(contract);

function issuesFor(raw: { params?: unknown; query?: unknown; body?: unknown }): { path: string; message: string }[] {
  try {
    parse({ params: { tenantId: 'acme' }, query: {}, body: { name: 'x' }, ...raw });
  } catch (error) {
    if (isHubError(error)) return [...(error.issues ?? [])];
    throw error;
  }
  return [];
}

describe('input', () => {
  it('comes out parsed, with defaults', () => {
    expect(parse({ params: { tenantId: 'acme' }, query: { limit: '7' }, body: { name: 'x' } })).toEqual({ params: { tenantId: 'acme' }, query: { limit: 7 }, body: { name: 'x', items: [] } });
  });

  it('is refused with every fault of params, query and body at once', () => {
    expect(issuesFor({ params: { tenantId: 'A!' }, query: { limit: '11' }, body: {} }).map(({ path }) => path)).toEqual(['params.tenantId', 'query.limit', 'body.name']);
  });

  it.each([
    ['at the top', { name: 'x', z: 1 }, 'body.z'],
    ['in a list', { name: 'x', items: [{ id: 1 }, { id: 2, z: 1 }] }, 'body.items[1].z'],
    ['in a union by kind', { name: 'x', content: { kind: 'text', text: 'hi', z: 1 } }, 'body.content.z'],
    ['in media', { name: 'x', content: { kind: 'image', media: { mimeType: 'image/png', z: 1 } } }, 'body.content.media.z'],
    ['in a plain union', { name: 'x', either: { x: 'a', q: 1 } }, 'body.either.q'],
    ['in what may be null', { name: 'x', nullable: { deep: 'a', z: 1 } }, 'body.nullable.z'],
  ])('names a field it does not know %s', (_, body, path) => {
    expect(issuesFor({ body })).toContainEqual({ path, message: 'is not a known field' });
  });

  it('leaves open what the contract leaves open', () => {
    expect(issuesFor({ body: { name: 'x', free: { any: { thing: 1 } }, open: { a: 'x', more: 1 } } })).toEqual([]);
  });

  it('never throws anything but a refusal', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, query) => {
        issuesFor({ body, query });
        return true;
      }),
    );
  });
});

describe('a reply', () => {
  const check = replyCheck(contract);
  it('fits', () => expect(check({ data: [{ id: 'a' }], tenantId: 'acme' })).toBeUndefined());
  it('does not fit with a field that the contract does not promise', () => {
    expect(check({ data: [{ id: 'a', secret: 'x' }], tenantId: 'acme' })).toEqual([{ path: 'reply.data[0].secret', message: 'is not a known field' }]);
  });
  it('does not fit without one that it does', () => expect(check({ data: [{}], tenantId: 'acme' })).toMatchObject([{ path: 'reply.data[0].id' }]));
});
