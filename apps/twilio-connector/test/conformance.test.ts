import { describe } from '@jest/globals';
import { describeConnector, loadWebhookFixtures, renderedMessageId, type ConformanceFixtures } from '@switchboard/connector-kit/testing';
import { createTwilio } from '../src/connector.ts';
import { findBrokenLimit } from './find-broken-limit.ts';
import { accountAuthorization, accountSid, apiKeyAuthorization, files, messagingServiceSid, smsCalls, smsRenderings, whatsappCalls, whatsappRenderings } from './outbound.ts';
import { refusals } from './refusals.ts';

const common = {
  webhooks: loadWebhookFixtures(new URL('./fixtures/webhooks/', import.meta.url)),
  refusals,
  accepted: { status: 201, body: { sid: 'SM000000000000000000000000000000e1', status: 'queued', num_segments: '1', price: null, error_code: null, date_created: 'Sat, 21 Nov 2026 12:00:00 +0000' }, providerMessageId: 'SM000000000000000000000000000000e1' },
  silentKinds: ['typing', 'receipt', 'handoff'],
  command: { messageId: renderedMessageId },
  files,
  findBrokenLimit,
} as const satisfies Partial<ConformanceFixtures>;

describe('by WhatsApp from a number, with the auth token', () => {
  describeConnector(createTwilio({ publicWebhookUrl: 'https://hub.example.test' }), {
    ...common,
    connection: {
      routingIdentifiers: { sender: `${accountSid}/+15005550006`, accountSid, account: accountSid },
      settings: { channels: 'whatsapp,sms,voice', phoneNumber: '+15005550006' },
      credentials: { authToken: 'auth-token-of-acme' },
    },
    contactAddress: 'whatsapp:+5511912345678',
    renderings: whatsappRenderings,
    calls: whatsappCalls,
    authorizationsTried: [accountAuthorization],
  });
});

describe('by SMS from a messaging service, with an API key', () => {
  describeConnector(createTwilio({ publicWebhookUrl: 'https://hub.example.test/' }), {
    ...common,
    connection: {
      routingIdentifiers: { sender: `${accountSid}/${messagingServiceSid}`, accountSid, service: `${accountSid}/${messagingServiceSid}`, account: accountSid },
      settings: { channels: 'sms', apiKeySid: 'SK000000000000000000000000000000d1' },
      credentials: { authToken: 'auth-token-of-acme', apiKeySecret: 'api-key-secret-of-acme' },
    },
    contactAddress: '+15005550111',
    renderings: smsRenderings,
    calls: smsCalls,
    authorizationsTried: [apiKeyAuthorization],
  });
});
