/**
 * The words of the hub as types: ids, message vocabulary, event catalogue, HTTP contracts, error catalogue.
 * zod only: nothing here does I/O, reads a clock (ids excepted) or knows a framework.
 */
export * from './ids.ts';
export * from './message.ts';
export * from './errors.ts';
export * from './service-names.ts';
export * from './events.ts';
export * from './month.ts';
export * from './http/route-contract.ts';
export * from './http/paging.ts';
export * from './http/problem.ts';
export * from './http/tenant-service-internal.ts';
export * from './http/people.ts';
export * from './http/auth-service.ts';
export * from './http/issuers.ts';
export * from './http/second-factor.ts';
export * from './http/sso.ts';
export * from './api-key.ts';
export * from './http/tenant-service.ts';
export * from './http/tenant-keys.ts';
export * from './http/tenant-connections.ts';
export * from './http/platform-connections.ts';
export * from './http/tenant-audit.ts';
export * from './http/usage.ts';
export * from './http/state-manager.ts';
export * from './http/leads.ts';
export * from './http/dead-letters.ts';
export * from './http/webhook-ingest.ts';
export * from './http/chatbot.ts';
export * from './http/chatwoot.ts';
export * from './http/chatwoot-moves.ts';
export * from './http/twilio.ts';
export * from './http/gateway-routes.ts';
