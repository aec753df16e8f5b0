import { describeConnector, loadWebhookFixtures } from '@switchboard/connector-kit/testing';
import { createBotpress } from '../src/connector.ts';
import { authorizationsTried, calls, command, encryptionKey, files, renderings } from './outbound.ts';

/** The Chat API says an error's code in the body, with whatever HTTP status (contract, 2.2 and 2.10). */
const error = (code: number, type: string, message = 'as told', status = code) => ({ status, body: { id: 'err_made_up', code, type, message } });

describeConnector(createBotpress({ isRepeat: () => false, callAlone: (_conversationId, _messageId, call) => call(false) }), {
  connection: {
    routingIdentifiers: { bot: 'chat.botpress.cloud/9f0c-webhook', session: command.connectionId },
    settings: { kind: 'cloud', webhookId: '9f0c-webhook' },
    credentials: { encryptionKey, webhookSecret: 'hub-test-secret-0001' },
  },
  command,
  contactAddress: '4915112345678',
  webhooks: loadWebhookFixtures(new URL('./fixtures/', import.meta.url)),
  accepted: { status: 201, body: { message: { id: 'b0e6b73b-0000-4000-8000-000000000001' } }, providerMessageId: 'b0e6b73b-0000-4000-8000-000000000001' },
  refusals: [
    { name: 'an unknown webhook id, with status 200', ...error(404, 'ResourceNotFound', '[Webhook Handler] Integration with webhook ID "x" not found', 200), code: 'provider.not_found', retry: 'never', scope: 'account' },
    { name: 'an invalid payload', ...error(400, 'InvalidPayload'), code: 'provider.rejected', retry: 'never' },
    { name: 'an invalid payload, with status 200', ...error(400, 'InvalidPayload', 'as told', 200), code: 'provider.rejected', retry: 'never' },
    { name: 'an invalid user key', ...error(401, 'Unauthorized', 'Invalid user key'), code: 'provider.unauthorized', retry: 'never', scope: 'account' },
    { name: 'an invalid user key, as the documentation shows errors', status: 401, body: { type: 'Unauthorized', description: 'Invalid user key', status: 401 }, code: 'provider.unauthorized', retry: 'never', scope: 'account' },
    { name: 'a workspace that has not been paid', ...error(402, 'PaymentRequired'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: 'a used up quota', ...error(403, 'QuotaExceeded', 'as told', 200), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: 'somebody else\'s conversation', ...error(403, 'Forbidden', 'not the owner'), code: 'provider.forbidden', retry: 'never' },
    { name: 'a conflict', ...error(409, 'RelationConflict'), code: 'provider.unavailable', retry: 'later' },
    { name: 'something gone', ...error(410, 'ResourceGone'), code: 'provider.rejected', retry: 'never' },
    { name: 'a payload that is too large', ...error(413, 'PayloadTooLarge'), code: 'provider.rejected', retry: 'never' },
    { name: 'a throttle that says for how long', ...error(429, 'RateLimited'), headers: { 'ratelimit-reset': '7' }, code: 'provider.throttled', retry: { afterMs: 7_000 } },
    { name: 'a throttle with Retry-After', ...error(429, 'RateLimited'), headers: { 'retry-after': '3' }, code: 'provider.throttled', retry: { afterMs: 3_000 } },
    { name: 'a throttle with status 200', ...error(429, 'RateLimited', 'as told', 200), code: 'provider.throttled', retry: { afterMs: 10_000 } },
    { name: 'an internal error', ...error(500, 'Internal'), code: 'provider.unavailable', retry: 'later' },
    { name: 'an internal error, with status 200', ...error(500, 'Unknown', 'as told', 200), code: 'provider.unavailable', retry: 'later' },
    { name: 'a timeout of the operation', ...error(504, 'OperationTimeout'), code: 'provider.unavailable', retry: 'later' },
    { name: 'an answer that is no JSON', status: 502, body: '<html>', code: 'provider.unavailable', retry: 'later' },
  ],
  renderings,
  silentKinds: ['typing', 'receipt', 'handoff'],
  calls,
  authorizationHeader: 'x-user-key',
  authorizationsTried,
  files,
  findBrokenLimit(body) {
    const { request } = body as { request: { conversationId: string; payload?: object } };
    if (Buffer.byteLength(JSON.stringify(request)) > 128 * 1024) return 'the message is too large';
    if (request.conversationId.length > 70 || !/^[A-Za-z0-9_\-\\/]+$/.test(request.conversationId)) return 'Botpress takes no such conversation id';
    return Object.values(request.payload ?? {}).includes('') ? 'an empty text' : undefined;
  },
});
