/** What every connector's tests are made of; a test dependency only. */
export { describeConnector } from './describe-connector.ts';
export { commandOf } from './describe-rendering.ts';
export {
  loadWebhookFixtures, publicConnectionOf, receivedAt, renderedMessageId, webhookOf,
  type CallFixture, type ConformanceFixtures, type ExpectedRequest, type FileFixtures, type RefusalFixture, type RenderingFixture, type WebhookFixture,
} from './fixtures.ts';
export { standInClientContext, type Answer } from './stand-in-client-context.ts';
