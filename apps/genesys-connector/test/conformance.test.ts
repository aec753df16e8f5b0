import { describeConnector, loadWebhookFixtures } from '@switchboard/connector-kit/testing';
import { genesys } from '../src/connector.ts';
import { authorizationsTried, calls, files, renderings } from './outbound.ts';

/** Body of an error as a maintained client's catalogue has it (gildas/go-purecloud error.go). */
const error = (status: number, code: string) => ({ status, body: { message: 'as told', code, status, contextId: '7a1d0c52-0000-4000-8000-5f0a11ce0001', details: [], errors: [] } });

describeConnector(genesys, {
  connection: { routingIdentifiers: { integrationId: '6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34' }, settings: { region: 'mypurecloud.de', clientId: 'client-1' }, credentials: { clientSecret: 'genesys-client-secret-1', webhookSecret: 'hub-test-secret-0001' } },
  contactAddress: '4915112345678',
  webhooks: loadWebhookFixtures(new URL('./fixtures/', import.meta.url)),
  accepted: { status: 200, body: { id: '5f1c0e7a9b3d4c6e8f10a2b4c6d8e0f1', conversationId: 'b2f7d3a0-5a6e-4c1d-8e9f-0a1b2c3d4e5f' }, providerMessageId: '5f1c0e7a9b3d4c6e8f10a2b4c6d8e0f1' },
  refusals: [
    { name: '400 bad.request', ...error(400, 'bad.request'), code: 'provider.rejected', retry: 'never' },
    { name: '400 invalid.value', ...error(400, 'invalid.value'), code: 'provider.rejected', retry: 'never' },
    { name: '401 with a new token too', ...error(401, 'bad.credentials'), code: 'provider.unauthorized', retry: 'never', scope: 'account' },
    { name: '403 missing.permissions', ...error(403, 'missing.permissions'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: '404 not.found', ...error(404, 'not.found'), code: 'provider.not_found', retry: 'never', scope: 'account' },
    { name: '415 unsupported.media.type', ...error(415, 'unsupported.media.type'), code: 'provider.rejected', retry: 'never' },
    { name: '429 with Retry-After', ...error(429, 'too.many.requests'), headers: { 'retry-after': '7' }, code: 'provider.throttled', retry: { afterMs: 7_500 } },
    { name: '429 without Retry-After', ...error(429, 'too.many.requests'), code: 'provider.throttled', retry: { afterMs: 10_500 } },
    { name: '500 internal.server.error', ...error(500, 'internal.server.error'), code: 'provider.unavailable', retry: 'later' },
    { name: '503 service.unavailable', ...error(503, 'service.unavailable'), code: 'provider.unavailable', retry: 'later' },
    { name: '504 request.timeout', ...error(504, 'request.timeout'), code: 'provider.unavailable', retry: 'later' },
    { name: 'an answer that is no JSON', status: 502, body: '<html>', code: 'provider.unavailable', retry: 'later' },
  ],
  renderings,
  silentKinds: ['typing'],
  calls,
  authorizationsTried,
  files,
  findBrokenLimit(body) {
    const { text, content, channel } = body as { text?: string; content?: { attachment: { mediaType?: string; mime?: string } }[]; channel: { metadata?: { customAttributes: object } } };
    if (text !== undefined && text.length > 4_000) return 'text is too long';
    if (content?.some(({ attachment }) => !attachment.mediaType || !attachment.mime)) return 'an attachment needs mediaType and mime';
    if (JSON.stringify(channel.metadata ?? {}).length > 2_048) return 'customAttributes are too large';
    return undefined;
  },
});
