/**
 * What a service stands on: configuration, HTTP server, calls between services, the guarded way out, health, metrics, logs, start and stop.
 * Knows no service, no provider and no table. The only room with express, process.env (config/load-config.ts) and process signals.
 */
export * from './port.ts';
export { defineService } from './service/define-service.ts';
export { startService, type StartOptions } from './service/start-service.ts';
export { runService } from './service/run-service.ts';
export { prepareServices, type PrepareOptions } from './service/prepare-services.ts';
export { openKeyProvider } from './service/open-key-provider.ts';
export { StartRefusal } from './service/start-refusal.ts';
export { defineRoute } from './http/define-route.ts';
export { labelRoute } from './http/create-server.ts';
export { reply } from './http/reply.ts';
export { renderCsv } from './http/render-csv.ts';
export { pageOfRows, readCursor, readPositionCursor, writeCursor } from './http/page-of-rows.ts';
export { networkOf } from './http/network-of.ts';
export { sendProblem } from './http/problem.ts';
export { adminKeyCheck } from './http/authenticate.ts';
export { clientAddressHeader, internalTokenHeader } from './internal-token.ts';
export { openApiOf, type DescribedRoute } from './openapi-of.ts';
export { loadConfig, type Environment } from './config/load-config.ts';
export { keyProviderConfigSchema } from './config/key-provider-config.ts';
export { kitConfigSchema, servicePorts } from './config/kit-config.ts';
export { variablesOf, type Variable } from './config/variables-of.ts';
export { createEgress, type EgressOptions } from './egress/create-egress.ts';
