import type { BodyInputOf, BodyOf, MemberRole, ParamsInputOf, ParamsOf, QueryInputOf, QueryOf, ReplyOf, RouteContract, Scope, ServiceName, TenantId } from '@switchboard/contracts';
import type { Database, DatabaseOptions } from '@switchboard/db';
import type { EventBus, ScheduledTask, Subscription } from '@switchboard/event-bus';
import type { KeyProvider } from '@switchboard/secrets';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Registry } from 'prom-client';
import type { z } from 'zod';

/** What a caller at the gateway proved who they are with. */
export type Via = 'key' | 'member' | 'subdomain' | 'platform';

/** Who calls, as verified by the kit before the handler runs. */
export type Principal =
  | { readonly kind: 'public'; /** The tenant whose door it came through (its subdomain), which proves nothing. */ readonly tenantId: TenantId | undefined }
  | { readonly kind: 'admin'; /** `admin-key`, or the id of the staff member. */ readonly subject: string }
  | {
      readonly kind: 'tenant';
      readonly tenantId: TenantId;
      /** Id of the key or the member. */
      readonly subject: string;
      readonly scopes: readonly Scope[];
      readonly via: 'key' | 'member' | 'subdomain';
      readonly role: MemberRole | undefined;
    }
  | { readonly kind: 'service'; readonly service: string; readonly tenantId: TenantId | undefined };

/** What a handler gets: parsed by the contract's schemas. It runs as the tenant of the token or of `:tenantId`, or as system when there is none. `currentActor()` says who does it. */
export type RouteInput<C extends RouteContract> = {
  readonly params: ParamsOf<C>;
  readonly query: QueryOf<C>;
  readonly body: BodyOf<C>;
  readonly principal: Principal;
  /** The caller's name for this request, for routes that make something: a repetition answers what the first one made. */
  readonly idempotencyKey?: string | undefined;
  /** The Cookie header of a browser; the gateway passes it to public routes of auth-service alone. */
  readonly cookie?: string | undefined;
};

/** A route bound to its handler; made by `defineRoute`, listed in `app.ts`. */
export type Route = {
  readonly contract: RouteContract;
  readonly handle: (input: RouteInput<RouteContract>) => Promise<unknown>;
};

/** A handler that takes the request before Express and any body parser: ingest's webhooks, media downloads, the gateway's forwarding. */
export type RawRoute = {
  readonly method: string;
  /** Matches the path without query. */
  readonly pattern: RegExp;
  /** Label in /metrics; the pattern's source when absent. */
  readonly name?: string;
  /** A HubError thrown before the answer began becomes a problem answer, anything else a 500. Runs in no scope: the handler is its own door. */
  readonly handle: (request: IncomingMessage, response: ServerResponse, match: RegExpMatchArray) => Promise<void> | void;
};

/** What the kit gives to a service's `build`. */
export type Kit<Config, Client> = {
  readonly name: string;
  readonly config: Config;
  readonly log: Logger;
  readonly db: Database<Client>;
  readonly bus: EventBus;
  readonly keyProvider: KeyProvider;
  readonly registry: Registry;
  /** Calls another service's route; see `CallRoute`. */
  readonly callRoute: CallRoute;
  /** Signs the token that another service wants of this one; for callers that forward instead of using `callRoute`. */
  readonly signToken: (audience: ServiceName, claims: InternalClaims) => string;
  /** Whether an Authorization header carries the platform's key; for the gateway, which speaks for the platform to the services. */
  readonly isAdminKey: (authorization: string | undefined) => boolean;
  /** Base URLs of another service's processes (`<NAME>_URL`), without a slash at the end. */
  readonly urlsOf: (service: ServiceName) => readonly [string, ...string[]];
  /** The one way to a URL that a tenant can influence; see egress/. */
  readonly egress: Egress;
  readonly now: () => Date;
};

/** What an internal token says besides who calls whom. Without a tenant it is a call of the system. */
export type InternalClaims = {
  readonly tenantId?: TenantId;
  readonly subject?: string;
  readonly scopes?: readonly Scope[];
  /** `key` when absent. */
  readonly via?: Via;
  readonly role?: MemberRole;
};

export type ServiceParts = {
  readonly routes: readonly Route[];
  readonly rawRoutes?: readonly RawRoute[];
  readonly consumers?: readonly Subscription[];
  readonly tasks?: readonly ScheduledTask[];
  /**
   * A tenant whose grace time is over is erased from every service with a database: its rows go by themselves. Here: deletes what the service
   * keeps of the current tenant elsewhere (files), and counts it; it may be called again. `by-itself`: the service sees to all of it.
   */
  readonly erase?: (() => Promise<Readonly<Record<string, number>>>) | 'by-itself';
  /** After the bus and before the port opens. */
  readonly onStart?: () => Promise<void>;
  /** After the port closed and the bus drained. */
  readonly onStop?: () => Promise<void>;
  /** More that must hold for /health/ready: name → undefined when fine, else what is wrong. */
  readonly readiness?: Readonly<Record<string, () => Promise<string | undefined>>>;
};

export type ServiceDefinition<ConfigSchema extends z.ZodObject = z.ZodObject, Client = unknown> = {
  readonly name: ServiceName;
  readonly port: number;
  /** The service's own variables; the kit's own (PORT, DATABASE_URL …) are added. Every variable has `.describe(…)`; secrets carry `.meta({ secret: true })`. */
  readonly config: ConfigSchema;
  readonly database?: { readonly schema: string; readonly prismaDirectory: URL; readonly createClient: DatabaseOptions<Client>['createClient'] };
  /** A method, not a function property: that lets every service be listed as a plain `ServiceDefinition`, whatever its config. */
  build(kit: Kit<z.output<ConfigSchema>, Client>): Promise<ServiceParts> | ServiceParts;
};

/** A service that runs: where it listens, and how it is ended (drains first). */
export type RunningService = { readonly url: string; /** Where /metrics is. */ readonly metricsUrl: string; readonly stop: () => Promise<void> };

export { serviceNames, type ServiceName } from '@switchboard/contracts';

/**
 * Calls an internal route of another service with a short signed token (audience: that service). The token carries the current tenant, or
 * none in system scope. Answers the parsed reply; a problem answer becomes the HubError of its code; no answer `service.unavailable`, too late `service.timeout`.
 */
export type CallRoute = <C extends RouteContract>(
  service: ServiceName,
  contract: C,
  input: CallInput<C>,
) => Promise<ReplyOf<C>>;

export type CallInput<C> = { readonly params?: ParamsInputOf<C>; readonly query?: QueryInputOf<C>; readonly body?: BodyInputOf<C>; readonly timeoutMs?: number };

export type EgressRequest = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer | FormData;
  /** Default 15 000. */
  readonly timeoutMs?: number;
  /** Bytes of the answer; more is `media.too_large`. Default 1 MiB. */
  readonly responseMaxBytes?: number;
};

export type EgressReply = { readonly status: number; readonly headers: Readonly<Record<string, string | undefined>>; readonly body: Buffer };

/**
 * Outgoing calls: https only (http where the platform allows the network), the name resolved once and pinned, private, link-local, metadata
 * and translated addresses refused unless in EGRESS_ALLOW, no redirects, time and size caps.
 */
export interface Egress {
  /** Any HTTP status is an answer. Throws `egress.refused` (never retried) or `egress.failed` (retry later); `error.detail.sent` says whether the request may have reached the other side. */
  request(request: EgressRequest): Promise<EgressReply>;
  /** Throws `egress.refused` when a URL given by a tenant would be refused. */
  assertAllowed(url: string): Promise<void>;
  /**
   * Whether the platform itself chose this host: EGRESS_ALLOW has its name, or the URL holds an address of an allowed network. A name that
   * leads into such a network does not count: where it leads is its owner's word, and can be another one at the next look-up.
   */
  isPlatformHost(url: string): boolean;
}
