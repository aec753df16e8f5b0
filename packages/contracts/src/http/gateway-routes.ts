import { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { ServiceName } from '../service-names.ts';
import * as authService from './auth-service.ts';
import * as chatbot from './chatbot.ts';
import * as chatwoot from './chatwoot.ts';
import * as chatwootMoves from './chatwoot-moves.ts';
import * as deadLetters from './dead-letters.ts';
import * as issuers from './issuers.ts';
import * as leads from './leads.ts';
import * as members from './members.ts';
import * as platformConnections from './platform-connections.ts';
import type { RouteContract } from './route-contract.ts';
import * as secondFactor from './second-factor.ts';
import * as sessions from './sessions.ts';
import * as sso from './sso.ts';
import * as staff from './staff.ts';
import * as stateManager from './state-manager.ts';
import * as tenantAudit from './tenant-audit.ts';
import * as tenantConnections from './tenant-connections.ts';
import * as tenantKeys from './tenant-keys.ts';
import * as tenantService from './tenant-service.ts';
import * as twilio from './twilio.ts';
import * as usage from './usage.ts';
import * as webhookIngest from './webhook-ingest.ts';

/**
 * What the gateway lets through, said once: forwarding, /openapi.json and the matrix test follow from it. A path is the service's own, except
 * that a tenant calls what is its own of the platform's routes without its id: `/tenants/:tenantId/keys` is also `/tenant/keys`. Where the contract
 * says `at: 'same-path'` there is one path for both, and a tenant names itself in it.
 */
export type GatewayRoute = {
  /** The contract's name; `…Own` in the form that a tenant calls. */
  readonly name: string;
  /** What it is about: the heading it stands under in the API description. */
  readonly tag: string;
  /** The route as callers see it: path, credentials, scopes, what may go wrong. */
  readonly contract: RouteContract;
  /** The same route as its service has it. */
  readonly source: RouteContract;
  /** Where it leads; of several the path's `:service` names one. */
  readonly services: readonly ServiceName[];
};

type Published = { readonly tag: string; readonly services: readonly ServiceName[]; readonly contracts: Readonly<Record<string, unknown>> };

/** Services that handle events: each lists those that it could not, under one path. */
export const deadLetterServices = ['state-manager', 'tenant-service', 'auth-service', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'botpress-connector', 'twilio-connector'] as const satisfies readonly ServiceName[];

/** Whole files of contracts: a route that is added to one is published with it, unless it is internal. Of a route in two, the first counts. */
const published: readonly Published[] = [
  { tag: 'Conversations', services: ['state-manager'], contracts: stateManager },
  { tag: 'Leads', services: ['state-manager'], contracts: leads },
  { tag: 'Tenants', services: ['tenant-service'], contracts: tenantService },
  { tag: 'API keys', services: ['tenant-service'], contracts: tenantKeys },
  { tag: 'Connections and routes', services: ['tenant-service'], contracts: tenantConnections },
  { tag: 'Accounts of the platform', services: ['tenant-service'], contracts: platformConnections },
  { tag: 'Usage', services: ['tenant-service'], contracts: usage },
  { tag: 'Audit', services: ['tenant-service'], contracts: tenantAudit },
  { tag: 'Members', services: ['auth-service'], contracts: members },
  { tag: 'Platform staff', services: ['auth-service'], contracts: staff },
  { tag: 'Sessions', services: ['auth-service'], contracts: { ...authService, ...sessions } },
  { tag: 'Second factor', services: ['auth-service'], contracts: secondFactor },
  { tag: 'Single sign-on', services: ['auth-service'], contracts: sso },
  { tag: 'Trusted issuers', services: ['auth-service'], contracts: issuers },
  { tag: 'Webhooks', services: ['webhook-ingest'], contracts: webhookIngest },
  { tag: 'Chatbot', services: ['botpress-connector'], contracts: chatbot },
  { tag: 'Chatwoot', services: ['chatwoot-connector'], contracts: chatwoot },
  { tag: 'Twilio', services: ['twilio-connector'], contracts: twilio },
  { tag: 'Moving to another account', services: ['chatwoot-connector'], contracts: chatwootMoves },
  { tag: 'Dead letters', services: deadLetterServices, contracts: deadLetters },
];

/** What may go wrong at the gateway itself, whatever the route. */
const errorsOfGateway: readonly ErrorCode[] = ['limit.rate_exceeded', 'service.unavailable', 'service.broke_off', 'service.timeout', 'tenant.suspended', 'tenant.mismatch', 'storage.unavailable'];

const places = new Map<string, [RouteContract, Omit<Published, 'contracts'>]>();
for (const { contracts, ...place } of published) {
  for (const [name, contract] of Object.entries(contracts)) if (isRouteContract(contract) && !places.has(name)) places.set(name, [contract, place]);
}

export const gatewayRoutes: readonly GatewayRoute[] = [...places].flatMap(([name, [source, place]]) => routesOf(name, source, place));

export function isRouteContract(value: unknown): value is RouteContract {
  return typeof value === 'object' && value !== null && 'method' in value && 'path' in value && 'reply' in value;
}

function routesOf(name: string, source: RouteContract, place: Pick<GatewayRoute, 'tag' | 'services'>): GatewayRoute[] {
  if (source.auth === 'internal') return [];
  // Both in one: the gateway tells them apart by who calls.
  if (source.self?.at === 'same-path') return [{ ...place, name, source, contract: atGateway(source, place.services) }];
  const { self, ...rest } = source;
  const routes: GatewayRoute[] = [{ ...place, name, source, contract: atGateway(rest, place.services) }];
  // The id comes from the credentials, so that no tenant can name another.
  if (self !== undefined) {
    const path = source.path.replace(/^\/tenants\/:tenantId/, '/tenant');
    const contract = atGateway({ ...rest, path, auth: 'key', scopes: self.scopes, params: without(source.params, 'tenantId') }, place.services);
    routes.push({ ...place, name: `${name}Own`, source, contract });
  }
  return routes;
}

function atGateway(contract: RouteContract, services: readonly ServiceName[]): RouteContract {
  const errors = [...(contract.errors ?? []), ...errorsOfGateway];
  if (services.length === 1) return { ...contract, errors };
  const params = z.object({ ...shapeOf(contract.params), service: z.enum(services) });
  return { ...contract, errors: [...errors, 'route.not_found'], params, path: contract.path.replace(/\/dead-letters/, '/dead-letters/:service') };
}

function without(params: z.ZodType | undefined, name: string): z.ZodType | undefined {
  const { [name]: _, ...rest } = shapeOf(params);
  return Object.keys(rest).length === 0 ? undefined : z.object(rest);
}

/** Params of a contract are an object of its path's names. */
function shapeOf(params: z.ZodType | undefined): Record<string, z.ZodType> {
  return params instanceof z.ZodObject ? (params.shape as Record<string, z.ZodType>) : {};
}
