import { describe, expect, it } from '@jest/globals';
import * as contracts from '@switchboard/contracts';
import type { RouteContract } from '@switchboard/contracts';
import { openApiOf } from './openapi-of.ts';

const all = (Object.values(contracts) as unknown[]).filter((value): value is RouteContract => typeof value === 'object' && value !== null && 'path' in value && 'reply' in value);

describe('openApiOf', () => {
  it('describes every contract there is', () => {
    const document = openApiOf(all, { title: 'Switchboard', version: '1' }) as { openapi: string; paths: Record<string, Record<string, { responses: object }>> };
    expect(document.openapi).toBe('3.1.0');
    for (const contract of all) {
      const operation = document.paths[contract.path.replaceAll(/:(\w+)/g, '{$1}')]?.[contract.method.toLowerCase()];
      expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining([String(contract.reply.status), '400', '500']));
    }
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it('says how to authenticate, what goes in and what may go wrong', () => {
    const document = openApiOf([contracts.getMapping], { title: 'x', version: '1' });
    expect(document).toMatchObject({
      paths: {
        '/state/mapping/{waId}': {
          get: {
            security: [{ apiKey: [] }],
            parameters: [{ name: 'waId', in: 'path', required: true, schema: { type: 'string' } }],
            responses: { '404': { description: expect.stringContaining('mapping.not_found') }, '401': {}, '403': {} },
          },
        },
      },
    });
  });
});
