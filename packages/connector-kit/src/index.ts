/**
 * What every connector shares: receiving, delivering once, pacing, files. A connector itself is two pure functions and one client
 * (`ConnectorDefinition`); `connectorService` makes a service of it. This room knows no provider: what differs stands in the definition.
 * Its own tables lie in the connector's schema: the model `Delivery` (see store/deliveries.ts).
 */
export type * from './port.ts';
export { defineConnector } from './define-connector.ts';
export { connectorService, extendedConnectorService, type ConnectorServiceOptions, type ExtendedConnectorOptions } from './connector-service.ts';
export type { Connections } from './connections/create-connections.ts';
export type { RunClient } from './connections/create-client-runner.ts';
export { createPace, type Pace } from './domain/create-pace.ts';
export { deriveEventId } from './domain/derive-event-id.ts';
export { createMediaStore, mediaConfig, type MediaConfig } from './media/create-media-store.ts';
export { createMediaLinks, type MediaLink, type MediaLinks } from './media/create-media-links.ts';
export { createHealthReports, type HealthReports } from './health/create-health-reports.ts';
export { mediaBytesMax } from './media/load-with-room.ts';
export type { MediaStore } from './media/media-store.ts';
export { describeInWords } from './domain/describe-in-words.ts';
export { splitText } from './domain/split-text.ts';
export { instantOf } from './domain/instant-of.ts';
export { parseJson } from './domain/parse-json.ts';
export { each, later, never, refused, type ProviderFate } from './domain/provider-fate.ts';
