import { createMemoryStore, tenantScope, type Maybe } from '@switchboard/cache';
import { hubError, subdomainPattern, type TenantFacts, type TenantId } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import type { IncomingMessage } from 'node:http';
import type { Config } from './config.ts';
import { createCredentialCache, knownForMs, seenForMs, type Credential } from './credential-cache.ts';
import { createCredentialMemory } from './credential-memory.ts';
import { createForwarded } from './forwarded.ts';
import type { Caller, Identity } from './identity.ts';
import { createKeySource } from './key-source.ts';
import { parseNetworks } from './networks.ts';
import { createSharedParts } from './shared-parts.ts';
import { createTenantLookup, type KnownTenant } from './tenant-lookup.ts';
import { createTokenSource } from './token-source.ts';

export interface Identification {
  /**
   * Who a request is from, by its key, its bearer token and the subdomain it was sent to, all of which must name one tenant. Throws one and
   * the same `auth.missing` for every credential that is not valid here and now, `tenant.mismatch`, `tenant.suspended`, `service.unavailable`.
   */
  identify(request: IncomingMessage): Maybe<Identity>;
  /** The address the request came from, behind proxies of ours too. */
  clientAddressOf(request: IncomingMessage): string;
  /** The tenant, a key or a member of it changed: nothing is remembered of it. */
  forgetTenant(tenantId: TenantId): void;
}

/** Wrong credentials and unknown subdomains that are remembered; about 200 bytes each, for a second. */
const unknownMax = 10_000;

/** Characters; longer is no key, ours or brought along. */
const apiKeyMax = 256;

type IdentificationKit = Pick<Kit<Config, unknown>, 'callRoute' | 'now' | 'isAdminKey'> & { readonly config: IdentificationConfig };
export type IdentificationConfig = Pick<Config, 'baseDomain' | 'platformSubdomains' | 'trustedProxies' | 'trustedSubdomains' | 'credentialsMax'>;

/** What a request shows, before anybody is asked. */
type Shown = { readonly apiKey: string | undefined; readonly token: string | undefined; readonly isAdmin: boolean; readonly subdomain: string | undefined };
type Found = { readonly key: Credential | undefined; readonly token: Credential | undefined; readonly host: KnownTenant | undefined };

export function createIdentification(kit: IdentificationKit): Identification {
  const { config, callRoute, isAdminKey } = kit;
  const now = () => kit.now().getTime();
  const unknown = createMemoryStore({ entriesMax: unknownMax, now });
  const memory = createCredentialMemory({ entriesMax: config.credentialsMax, knownForMs, lastForMs: seenForMs, now });
  const keyCache = createCredentialCache('key', { memory, unknown, now });
  const tokenCache = createCredentialCache('token', { memory, unknown, now });
  const store = createMemoryStore({ entriesMax: config.credentialsMax, now });
  const tenants = createTenantLookup({ store, unknown, seen: createMemoryStore({ entriesMax: config.credentialsMax, now }), callRoute, now });
  const parts = createSharedParts({ tenantsMax: config.credentialsMax });
  const keySource = createKeySource({ callRoute, parts, now });
  const tokenSource = createTokenSource({ callRoute, tenants, parts, now });
  const forwarded = createForwarded(config.trustedProxies.length === 0 ? undefined : parseNetworks(config.trustedProxies).networks);
  // By the facts they were made of: forgotten with them.
  const doorCallers = new WeakMap<TenantFacts, Caller>();

  function read(request: IncomingMessage): Shown {
    const { 'x-api-key': apiKey, authorization } = request.headers;
    const subdomain = config.baseDomain === undefined ? undefined : subdomainOf(forwarded.hostOf(request), config.baseDomain, config.platformSubdomains);
    // Sent twice is not sent: which of the two would be meant?
    if (apiKey !== undefined && (typeof apiKey !== 'string' || apiKey.length > apiKeyMax)) throw hubError('auth.missing');
    if (authorization === undefined) return { apiKey, token: undefined, isAdmin: false, subdomain };
    if (isAdminKey(authorization)) return { apiKey, token: undefined, isAdmin: true, subdomain };
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) throw hubError('auth.missing');
    return { apiKey, token, isAdmin: false, subdomain };
  }

  function judge(request: IncomingMessage, shown: Shown, found: Found): Identity {
    const { key, token, host } = found;
    if ((shown.apiKey !== undefined && (key === undefined || !isAllowedFrom(key, request))) || (shown.token !== undefined && token === undefined)) throw hubError('auth.missing');
    // A person says more than a machine about who does it.
    const credential = token ?? key ?? (shown.isAdmin ? adminKeyCredential : undefined);
    if (credential === undefined) return stranger(request, shown, host);
    const named = [key, token, shown.isAdmin ? adminKeyCredential : undefined].filter((one) => one !== undefined).map((one) => (one.kind === 'caller' ? one.caller.tenantId : undefined));
    // A host of nobody is another tenant's host: told apart, the two would show which names are taken.
    if (shown.subdomain !== undefined) named.push(host?.facts.tenantId ?? unknownHost);
    if (named.some((tenantId) => tenantId !== named[0])) throw hubError('tenant.mismatch');
    if (credential.kind === 'platform') return credential;
    if (credential.caller.tenant.status !== 'active') throw hubError('tenant.suspended');
    return { kind: 'tenant', caller: credential.caller };
  }

  function stranger({ method }: IncomingMessage, { subdomain }: Shown, host: KnownTenant | undefined): Identity {
    if (subdomain === undefined || host === undefined) return { kind: 'nobody', tenant: undefined };
    const { facts } = host;
    if (facts.status !== 'active') throw hubError('tenant.suspended');
    if (!config.trustedSubdomains || (method !== 'GET' && method !== 'HEAD')) return { kind: 'nobody', tenant: facts };
    let caller = doorCallers.get(facts);
    if (caller === undefined) doorCallers.set(facts, (caller = { tenantId: facts.tenantId, subject: `subdomain:${subdomain}`, via: 'subdomain', role: undefined, scopes: ['state:read'], rateLimit: facts.rateLimit, keyRateLimit: null, tenant: facts }));
    return { kind: 'tenant', caller };
  }

  const isAllowedFrom = (credential: Credential, request: IncomingMessage): boolean =>
    credential.kind === 'platform' || credential.networks === undefined || credential.networks.has(forwarded.addressOf(request));

  return {
    identify(request) {
      const shown = read(request);
      const from = () => forwarded.addressOf(request);
      const key = shown.apiKey === undefined ? undefined : keyCache.find(shown.apiKey, keySource, from);
      const token = shown.token === undefined ? undefined : tokenCache.find(shown.token, tokenSource, from);
      const host = shown.subdomain === undefined || !subdomainPattern.test(shown.subdomain) ? undefined : tenants.bySubdomain(shown.subdomain);
      // The way of most requests: everything is remembered, nothing waits.
      if (!(key instanceof Promise) && !(token instanceof Promise) && !(host instanceof Promise)) return judge(request, shown, { key, token, host });
      return Promise.all([key, token, host]).then(([key, token, host]) => judge(request, shown, { key, token, host }));
    },
    clientAddressOf: (request) => forwarded.addressOf(request),
    forgetTenant(tenantId) {
      store.forgetAll(tenantScope(tenantId));
      memory.forgetTenant(tenantId);
      // Waiting requests get the answer they asked for; the next one asks anew.
      keyCache.forgetAsked();
      tokenCache.forgetAsked();
      tenants.forgetAsked();
    },
  };
}

const adminKeyCredential = { kind: 'platform', subject: 'admin-key' } as const;
/** Equals no tenant id: those have no blanks. */
const unknownHost = 'no tenant' as TenantId;

/** What stands before the base domain; undefined for the base domain itself, for other hosts, and for names the platform keeps for itself. */
function subdomainOf(host: string | undefined, baseDomain: string, platformSubdomains: readonly string[]): string | undefined {
  if (host === undefined || !host.endsWith(`.${baseDomain}`)) return undefined;
  const label = host.slice(0, -baseDomain.length - 1);
  return platformSubdomains.includes(label) ? undefined : label;
}
