import { findCorsOrigin, findLegacyApiKeys, generateApiKey, hubError, newId, resolveApiKey, resolveApiKeys, resolveTenant, scopesOfRole, verifyToken, type MemberRole, type Scope, type ServiceName, type TenantFacts, type TenantId, type TokenHolder } from '@switchboard/contracts';
import { defineRoute, defineService, startService, type RawRoute, type Route, type RunningService } from '@switchboard/service-kit';
import { testEnvironment } from '@switchboard/service-kit/testing';
import { z } from 'zod';
import { build } from '../src/app.ts';
import { config } from '../src/config.ts';

/** The gateway without a bus, before services that are told in the test what they answer. */
export type World = {
  readonly url: string;
  readonly metrics: () => Promise<string>;
  setTenant(tenantId: TenantId, facts?: Partial<TenantFacts>): void;
  addKey(tenantId: TenantId, scopes?: readonly Scope[]): string;
  addMember(tenantId: TenantId, role: MemberRole): string;
  addStaff(): string;
  /** How often tenant-service was asked whether any tenant allows an origin. */
  readonly originsAsked: () => number;
  stop(): Promise<void>;
};

export type WorldOptions = {
  /** More routes of a service; those that are given none, and no address, are not started. */
  readonly routesOf?: (service: ServiceName) => readonly Route[];
  readonly rawRoutesOf?: (service: ServiceName) => readonly RawRoute[];
  readonly variables?: Readonly<Record<string, string>>;
  /** What tenant-service waits for before it says whether any tenant allows an origin. */
  readonly beforeOrigin?: (origin: string) => Promise<void>;
};

const services = ['state-manager', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'botpress-connector', 'twilio-connector', 'auth-service', 'tenant-service'] as const;

export async function startWorld({ routesOf = () => [], rawRoutesOf = () => [], variables = {}, beforeOrigin = async () => undefined }: WorldOptions): Promise<World> {
  const tenants = new Map<TenantId, TenantFacts>();
  const keys = new Map<string, { readonly tenantId: TenantId; readonly keyId: string; readonly scopes: Scope[] }>();
  const holders = new Map<string, TokenHolder>();
  let originsAsked = 0;

  const lookUps: Partial<Record<ServiceName, readonly Route[]>> = {
    'tenant-service': [
      defineRoute(resolveApiKey, ({ body }) => {
        const known = keys.get(body.apiKey);
        const tenant = known === undefined ? undefined : tenants.get(known.tenantId);
        if (known === undefined || tenant === undefined) throw hubError('auth.missing');
        return { keyId: known.keyId, scopes: known.scopes, expiresAt: null, cidrs: [], rateLimit: null, tenant };
      }),
      defineRoute(resolveApiKeys, ({ body }) => ({
        keys: body.apiKeys.map((apiKey) => {
          const known = keys.get(apiKey);
          return known === undefined ? null : { ...known, expiresAt: null, cidrs: [], rateLimit: null };
        }),
        tenants: [...tenants.values()],
      })),
      defineRoute(findLegacyApiKeys, () => ({ any: false })),
      defineRoute(resolveTenant, ({ body }) => ({ tenant: [...tenants.values()].find((facts) => ('tenantId' in body ? facts.tenantId === body.tenantId : facts.subdomain === body.subdomain)) ?? null })),
      defineRoute(findCorsOrigin, async ({ body }) => {
        originsAsked++;
        await beforeOrigin(body.origin);
        return { isAllowed: [...tenants.values()].some(({ status, corsOrigins }) => status === 'active' && corsOrigins.includes(body.origin)) };
      }),
    ],
    'auth-service': [
      defineRoute(verifyToken, ({ body }) => {
        const holder = holders.get(body.token);
        if (holder === undefined) throw hubError('auth.missing');
        return holder;
      }),
    ],
  };

  const running: RunningService[] = [];
  const urls: Record<string, string> = {};
  for (const name of services) {
    const routes = [...(lookUps[name] ?? []), ...routesOf(name)];
    const rawRoutes = [...rawRoutesOf(name)];
    if (routes.length + rawRoutes.length === 0) continue;
    const started = await startService(defineService({ name, port: 0, config: z.object({}), build: () => ({ routes, rawRoutes }) }), testEnvironment());
    running.push(started);
    urls[`${name.replaceAll('-', '_').toUpperCase()}_URL`] = started.url;
  }
  const gateway = await startService(
    defineService({ name: 'api-gateway', port: 0, config, build: (kit) => ({ ...build(kit), consumers: [] }) }),
    testEnvironment({ ...urls, UPSTREAM_TIMEOUT_MS: '400', BASE_DOMAIN: 'hub.test', ...variables }),
  );
  running.push(gateway);

  const addToken = (holder: TokenHolder) => {
    const token = tokenText({ exp: Math.floor(Date.parse(holder.expiresAt) / 1000), jti: newId('ses') });
    holders.set(token, holder);
    return token;
  };
  const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
  return {
    url: gateway.url,
    metrics: async () => (await fetch(`${gateway.metricsUrl}/metrics`)).text(),
    setTenant: (tenantId, facts = {}) => void tenants.set(tenantId, { tenantId, status: 'active', plan: 'starter', rateLimit: 100_000, subdomain: tenantId, corsOrigins: [], ...tenants.get(tenantId), ...facts }),
    addKey: (tenantId, scopes = scopesOfRole('owner')) => {
      const keyId = newId('key');
      const apiKey = generateApiKey(keyId);
      keys.set(apiKey, { tenantId, keyId, scopes: [...scopes] });
      return apiKey;
    },
    addMember: (tenantId, role) => addToken({ kind: 'member', tenantId, subject: newId('mbr'), role, scopes: [...scopesOfRole(role)], expiresAt }),
    addStaff: () => addToken({ kind: 'platform', subject: newId('mbr'), expiresAt }),
    originsAsked: () => originsAsked,
    stop: async () => {
      for (const one of running.toReversed()) await one.stop();
    },
  };
}

/** A text with the form of a JWT; its signature is nobody's. */
function tokenText(payload: object): string {
  return [{ alg: 'ES256', typ: 'JWT' }, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.').concat('.c2lnbmF0dXJl');
}
