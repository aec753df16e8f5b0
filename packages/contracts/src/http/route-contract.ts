import type { z } from 'zod';
import type { ErrorCode } from '../errors.ts';
import type { ServiceName } from '../service-names.ts';

/**
 * Who may call:
 * - `public`: anybody
 * - `key`: a tenant at the gateway, by API key, by the session of a member, or read-only by a trusted subdomain; the service sees the
 *   gateway's internal token with the tenant
 * - `member`: a person who is logged in, in one of the contract's `roles`
 * - `admin`: the platform, by admin key or by staff who are logged in; with `self` also the tenant that the path names
 * - `internal`: the services of the hub that the contract lists as `callers`, by a short signed token
 */
export type RouteAuth = 'public' | 'key' | 'member' | 'admin' | 'internal';

/** What a credential may do. */
export const scopes = ['state:read', 'state:write', 'tenant:read', 'tenant:write', 'keys:write', 'members:read', 'members:write', 'audit:read'] as const;
export type Scope = (typeof scopes)[number];

/** Roles of a tenant's people, and `platform` for those who run the installation. */
export const memberRoles = ['owner', 'admin', 'agent'] as const;
export type MemberRole = (typeof memberRoles)[number];
export const personRoles = [...memberRoles, 'platform'] as const;
export type PersonRole = (typeof personRoles)[number];

/** What a role may do. Who may touch owners is a rule of auth-service, not of a scope. */
export function scopesOfRole(role: MemberRole): readonly Scope[] {
  return role === 'agent' ? ['state:read', 'state:write'] : scopes;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** One route, said once: server, caller, OpenAPI and the tests that every route gets follow from it. */
export type RouteContract<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Reply extends z.ZodType = z.ZodType,
> = {
  readonly method: Method;
  /** Express form: `/tenants/:tenantId`. A path with `:tenantId` under `admin` runs as that tenant. */
  readonly path: string;
  readonly summary: string;
  readonly auth: RouteAuth;
  readonly scopes?: readonly Scope[];
  /**
   * Under `admin`: the tenant itself may call it too, with these scopes. With `:tenantId` in the path at the gateway under `/tenant…`, or `at: 'same-path'`,
   * where the path must name no other tenant than its own. A path without `:tenantId` is always the same one.
   */
  readonly self?: { readonly scopes: readonly Scope[]; readonly at?: 'same-path' };
  /** Under `member`: which roles; every role of a tenant when absent. */
  readonly roles?: readonly PersonRole[];
  /** Under `internal`: the only services that are let in. Without it nobody is. */
  readonly callers?: readonly ServiceName[];
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Status and schema of the good answer. 204 and 302 have no body; 302 leads a browser on by its location header. */
  readonly reply: { readonly status: 200 | 201 | 202 | 204 | 302; readonly schema: Reply; /** Of an answer that is a text, with a schema of strings; JSON when absent. */ readonly mediaType?: 'text/csv' | 'application/x-ndjson'; /** Of the same answer when what it makes was there already. */ readonly statusOfRepetition?: 200 };
  /** Codes of the error catalogue that this route answers besides the ones every route may (request.*, auth.*, internal). */
  readonly errors?: readonly ErrorCode[];
  /** A repetition with the same Idempotency-Key answers what the first request made. */
  readonly isRepeatable?: true;
  /** Bytes. */
  readonly bodyMaxBytes?: number;
};

export function defineRouteContract<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Reply extends z.ZodType>(
  contract: RouteContract<Params, Query, Body, Reply>,
): RouteContract<Params, Query, Body, Reply> {
  return contract;
}

/** What a caller gives and a handler gets. */
export type ParamsOf<C> = C extends RouteContract<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never;
export type QueryOf<C> = C extends RouteContract<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never;
export type BodyOf<C> = C extends RouteContract<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never;
export type ReplyOf<C> = C extends RouteContract<z.ZodType, z.ZodType, z.ZodType, infer R> ? z.output<R> : never;
export type ParamsInputOf<C> = C extends RouteContract<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.input<P> : never;
export type QueryInputOf<C> = C extends RouteContract<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.input<Q> : never;
export type BodyInputOf<C> = C extends RouteContract<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.input<B> : never;
