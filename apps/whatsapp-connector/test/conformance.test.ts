import { describeConnector, loadWebhookFixtures, type ConformanceFixtures } from '@switchboard/connector-kit/testing';
import { connector } from '../src/connector.ts';
import { findBrokenLimit } from './find-broken-limit.ts';
import { authorizationsTried, calls, files, renderings } from './outbound.ts';
import { refusals } from './refusals.ts';

const fixtures: ConformanceFixtures = {
  connection: {
    routingIdentifiers: { phoneNumberId: '700100200300401' },
    settings: {},
    credentials: { accessToken: 'EAAG-access-token-of-acme', appSecret: 'app-secret-of-acme', verifyToken: 'verify-token-of-acme' },
  },
  webhooks: loadWebhookFixtures(new URL('./fixtures/webhooks/', import.meta.url)),
  refusals,
  accepted: { status: 200, body: { messaging_product: 'whatsapp', contacts: [{ input: '+15005550123', wa_id: '15005550123' }], messages: [{ id: 'wamid.OUT1' }] }, providerMessageId: 'wamid.OUT1' },
  contactAddress: '15005550123',
  renderings,
  silentKinds: ['typing', 'receipt', 'handoff'],
  calls,
  authorizationsTried,
  files,
  findBrokenLimit,
};

describeConnector(connector, fixtures);
