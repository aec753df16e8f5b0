import { describe, expect, it } from '@jest/globals';
import type { ConnectorDefinition, RenderedPart } from '@switchboard/connector-kit';
import { describeConnector, loadWebhookFixtures, standInClientContext, type ConformanceFixtures } from '@switchboard/connector-kit/testing';
import { createChatwoot } from '../src/connector.ts';
import type { Threads } from '../src/store/threads.ts';
import { findBrokenLimit } from './find-broken-limit.ts';
import { channelCalls, channelRenderings, deskCalls, deskRenderings } from './outbound.ts';
import { describedOnly } from './request-schemas.ts';

/** The contact's conversation is known, and every try is the first: what happens otherwise is delivery.int.test.ts's. */
const threads: Threads = {
  find: async () => ({ displayId: 1204, lastMessageId: 918_200 }),
  claim: async () => ({ kind: 'known', displayId: 1204, lastMessageId: 918_200 }),
  holdPost: async () => undefined,
  endPost: async () => undefined,
  beginPost: async ({ displayId, lastMessageId }) => ({ kind: 'begun', isFirst: true, displayId, afterMessageId: lastMessageId, sinceMs: 0 }),
  settle: async () => undefined,
  release: async () => undefined,
  learn: async () => undefined,
  forget: async () => undefined,
  noteStatus: async () => undefined,
  statusWritten: async () => undefined,
  deletePostsOlderThan: async () => 0,
};

const connector = createChatwoot({ threads, sleep: async () => undefined, pace: { take: () => ({ kind: 'go', waitMs: 0 }), giveBack: () => undefined, pause: () => undefined } });

/** Whatever the suite sends is as Chatwoot describes its API, or fails. */
const chatwoot: ConnectorDefinition = { ...connector, client: { ...connector.client, send: (part, context) => connector.client.send(part, { ...context, egress: describedOnly(context.egress) }) } };

const error = (status: number, text: string) => ({ status, body: { error: text } });
const settings = { apiUrl: 'https://cw.example.com', accountId: '77', inboxId: '41', mode: 'dedicated' };

const common = {
  contactAddress: '5511988887777',
  accepted: { status: 200, body: { id: 918_291, conversation_id: 1204, message_type: 1, status: 'sent' }, providerMessageId: '918291' },
  refusals: [
    { name: '401 of a wrong token', ...error(401, 'Invalid Access Token'), code: 'provider.unauthorized', retry: 'never', scope: 'account' },
    { name: '401 of a missing permission', ...error(401, 'You are not authorized to do this action'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: '401 of a suspended account', ...error(401, 'Account is suspended'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: '402 of the plan', ...error(402, 'Account limit exceeded. Please upgrade to a higher plan'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: '403 of the plan, for API access', ...error(403, 'API access is not enabled for this account'), code: 'provider.forbidden', retry: 'never', scope: 'account' },
    { name: '403 of a status at an inbox of another kind', ...error(403, 'Message status update is only allowed for API inboxes'), code: 'provider.rejected', retry: 'never' },
    { name: '404 of a conversation', ...error(404, 'Resource could not be found'), code: 'provider.not_found', retry: 'never' },
    { name: '404 without a body', status: 404, body: '', code: 'provider.not_found', retry: 'never' },
    { name: '422 with a reason', ...error(422, 'Validation failed: Content is too long (maximum is 150000 characters)'), code: 'provider.rejected', retry: 'never' },
    { name: '422 with attributes', status: 422, body: { message: 'Phone number has already been taken', attributes: ['phone_number'] }, code: 'provider.rejected', retry: 'never' },
    { name: '422 of too many messages in a conversation', ...error(422, 'Validation failed: Too many messages'), code: 'provider.throttled', retry: { afterMs: 60_000 }, scope: 'pair' },
    { name: '429, which is a text', status: 429, body: 'Retry later\n', code: 'provider.throttled', retry: { afterMs: 60_000 } },
    { name: '500', status: 500, body: '<html>We\'re sorry, but something went wrong</html>', code: 'provider.unavailable', retry: 'later' },
    { name: '502 of a proxy', status: 502, body: '<html>', code: 'provider.unavailable', retry: 'later' },
    { name: 'a redirect of an address that has moved', status: 301, headers: { location: 'https://chat.example.com/' }, body: '', code: 'provider.not_found', retry: 'never', scope: 'account' },
    { name: 'a refusal that quotes the token', ...error(400, 'what is this?'), code: 'provider.rejected', retry: 'never' },
  ],
  authorizationHeader: 'api_access_token',
  authorizationsTried: ['admin-token-1'],
  files: {
    named: (url: string) => ({ media: { url } }),
    ownUrls: ['https://cw.example.com/rails/active_storage/blobs/redirect/SIGNED/foto.jpg', 'https://CW.example.com:443/rails/a.jpg'],
    foreignUrls: ['https://bucket.s3.amazonaws.com/a.jpg', 'https://cw.example.com.evil.test/a.jpg', 'https://cw.example.com@evil.test/a.jpg', 'http://cw.example.com/a.jpg', 'https://cw.example.com:8443/a.jpg', 'https://evilcw.example.com/a.jpg'],
  },
  findBrokenLimit,
} as const satisfies Partial<ConformanceFixtures>;

const credentials = { apiToken: 'admin-token-1', botToken: 'bot-token-1', webhookSecret: 'hub-test-secret-0001' };

/** The suite sends what `calls` name; this sends all the rest that is written down. */
function describeConnectorAndCalls(fixtures: ConformanceFixtures): void {
  describeConnector(chatwoot, fixtures);

  const sent = fixtures.renderings.flatMap(({ name, expected }) => (Array.isArray(expected) ? [[name, expected as readonly RenderedPart[]] as const] : []));
  it.each(sent)('brings %s to Chatwoot as the description of its API has it', async (_name, parts) => {
    for (const part of parts) {
      const { context, requests } = standInClientContext(chatwoot, fixtures, ({ method, url }) => (method !== 'GET' ? fixtures.accepted : { status: 200, body: url.endsWith('/labels') ? { payload: ['vip'] } : { id: 1204, inbox_id: 41, custom_attributes: { plan: 'gold' } } }));
      await chatwoot.client.send(part, context);
      expect(requests.some(({ method }) => method !== 'GET')).toBe(true);
    }
  });
}

describe('as a desk, in an API inbox', () => {
  describeConnectorAndCalls({
    ...common,
    connection: { role: 'desk', routingIdentifiers: { inbox: 'cw.example.com/77/41' }, settings: { ...settings, inboxType: 'api', inboxIdentifier: 'inb-1' }, credentials },
    webhooks: loadWebhookFixtures(new URL('./fixtures/desk/', import.meta.url)),
    renderings: deskRenderings,
    silentKinds: ['receipt'],
    calls: deskCalls,
  });
});

describe('as a channel, in a website\'s inbox', () => {
  describeConnectorAndCalls({
    ...common,
    connection: { role: 'channel', routingIdentifiers: { inbox: 'cw.example.com/77/41' }, settings: { ...settings, inboxType: 'website', botId: '3' }, credentials },
    webhooks: loadWebhookFixtures(new URL('./fixtures/channel/', import.meta.url)),
    renderings: channelRenderings,
    silentKinds: ['receipt'],
    calls: channelCalls,
  });
});
