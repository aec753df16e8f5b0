import { newId, tenantIdSchema, type ProviderId } from '@switchboard/contracts';
import type { Egress, EgressReply, EgressRequest } from '@switchboard/service-kit';
import type { ClientContext, ConnectorDefinition } from '../port.ts';
import type { ConformanceFixtures } from './fixtures.ts';

export type Answer = { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body: unknown };

/** A client's world without a network: `answer` says what the other side does with each request, or throws as egress would. */
export function standInClientContext(definition: ConnectorDefinition, fixtures: ConformanceFixtures, answer: (request: EgressRequest) => Answer): { context: ClientContext; requests: EgressRequest[] } {
  const requests: EgressRequest[] = [];
  const egress: Egress = {
    async request(request) {
      requests.push(request);
      return replyOf(answer(request));
    },
    async assertAllowed() {},
    isPlatformHost: () => false,
  };
  const context: ClientContext = {
    connection: connectionOf(definition.provider, definition, fixtures),
    egress,
    accessToken: async (refused) => (refused === undefined ? { accessToken: 'token-first', fingerprint: 'first' } : { accessToken: 'token-second', fingerprint: 'second' }),
    loadMedia: async () => Buffer.from('bytes of a file'),
    mediaUrl: ({ mediaKey, url }) => url ?? `https://media.example.test/${mediaKey}`,
    fileBytesMax: 100 * 1024 * 1024,
    now: () => new Date('2026-11-21T12:00:00.000Z'),
  };
  return { context, requests };
}

function connectionOf(provider: ProviderId, definition: ConnectorDefinition, { connection }: ConformanceFixtures): ClientContext['connection'] {
  return {
    tenantId: tenantIdSchema.parse('acme'),
    connectionId: newId('con'),
    provider,
    role: connection.role ?? definition.roles[0] ?? 'channel',
    status: 'active',
    version: 1,
    routingIdentifiers: { ...connection.routingIdentifiers },
    settings: { ...connection.settings },
    credentials: { ...connection.credentials },
  };
}

function replyOf({ status, headers, body }: Answer): EgressReply {
  return { status, headers: headers ?? {}, body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)) };
}
