import { describe, expect, it } from '@jest/globals';
import { defineRouteContract, tenantIdSchema } from '@switchboard/contracts';
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { clientAddressHeader, internalTokenHeader } from '../internal-token.ts';
import { adminHeaders, internalToken, testSecrets } from '../testing/test-credentials.ts';
import { authenticator } from './authenticate.ts';

const acme = tenantIdSchema.parse('acme');
const authenticate = authenticator('auth-service', testSecrets);
const route = (auth: 'public' | 'admin' | 'internal') =>
  defineRouteContract({ method: 'GET', path: '/things', summary: 'Things', auth, ...(auth === 'internal' && { callers: ['state-manager'] }), reply: { status: 200, schema: z.object({}) } });
const fromOf = (auth: 'public' | 'admin' | 'internal', headers: Record<string, string>) =>
  authenticate(route(auth), { headers: { ...headers, [clientAddressHeader]: '198.51.100.7' }, socket: { remoteAddress: '::ffff:10.0.0.1' } } as unknown as IncomingMessage).actor.from; // as much of a request as is looked at

describe('where a call came from', () => {
  it('is told by the gateway, of strangers too', () => {
    for (const claims of [{ tenantId: acme }, { subject: '', via: 'subdomain' as const }]) expect(fromOf('public', { [internalTokenHeader]: internalToken('auth-service', claims) })).toBe('198.51.100.7');
  });

  it('is the other end of the connection, whatever a header says, for everybody else: guesses are counted by it', () => {
    expect(fromOf('public', {})).toBe('10.0.0.1');
    expect(fromOf('admin', adminHeaders())).toBe('10.0.0.1');
    expect(fromOf('public', { [internalTokenHeader]: internalToken('auth-service', { tenantId: acme, issuer: 'state-manager' }) })).toBe('10.0.0.1');
    expect(fromOf('internal', { [internalTokenHeader]: internalToken('auth-service', { issuer: 'state-manager' }) })).toBe('10.0.0.1');
  });
});
