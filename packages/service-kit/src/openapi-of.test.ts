import { describe, expect, it } from '@jest/globals';
import { gatewayRoutes, getChatbot, getMapping } from '@switchboard/contracts';
import { openApiOf } from './openapi-of.ts';

describe('openApiOf', () => {
  it('describes every route of the gateway', () => {
    const document = openApiOf(gatewayRoutes, { title: 'Switchboard', version: '1' }) as { openapi: string; paths: Record<string, Record<string, { responses: object }>> };
    expect(document.openapi).toBe('3.1.0');
    for (const { contract } of gatewayRoutes) {
      const operation = document.paths[contract.path.replaceAll(/:(\w+)/g, '{$1}')]?.[contract.method.toLowerCase()];
      expect(Object.keys(operation?.responses ?? {})).toEqual(expect.arrayContaining([String(contract.reply.status), '400', '500']));
    }
    expect(JSON.parse(JSON.stringify(document))).toEqual(document);
  });

  it('says how to authenticate, what goes in and what may go wrong', () => {
    const document = openApiOf([{ name: 'getMapping', tag: 'conversations', contract: getMapping }], { title: 'x', version: '1' });
    expect(document).toMatchObject({
      paths: {
        '/state/mapping/{waId}': {
          get: {
            operationId: 'getMapping',
            security: [{ apiKey: ['state:read'] }, { session: ['state:read'] }],
            parameters: [{ name: 'waId', in: 'path', required: true, schema: { type: 'string' } }],
            responses: { '404': { description: expect.stringContaining('mapping.not_found') }, '401': {}, '403': {} },
          },
        },
      },
    });
  });

  it("names the platform's credentials and the tenant's with its scopes where both have one path", () => {
    const document = openApiOf([{ name: 'getChatbot', tag: 'x', contract: getChatbot }], { title: 'x', version: '1' });
    expect(document).toMatchObject({
      paths: { '/api/chatbot/tenants/{tenantId}/config': { get: { security: [{ adminKey: [] }, { session: [] }, { apiKey: ['tenant:read'] }, { session: ['tenant:read'] }], responses: { '403': {}, '404': {} } } } },
    });
  });
});
