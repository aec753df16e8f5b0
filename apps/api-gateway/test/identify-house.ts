import { findLegacyApiKeys, generateApiKey, hubError, newId, resolveApiKey, resolveApiKeys, tenantIdSchema, verifyToken, type resolveTenant, type ApiKeyId, type BodyOf, type ResolvedApiKey, type TenantFacts, type TokenHolder } from '@switchboard/contracts';
import { testKit } from '@switchboard/service-kit/testing';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createIdentification, type IdentificationConfig } from '../src/identify.ts';
import { tokenText } from './token-text.ts';

export const acme = tenantIdSchema.parse('acme');
export const globex = tenantIdSchema.parse('globex');

const configDefault: IdentificationConfig = { baseDomain: 'example.com', platformSubdomains: ['api'], trustedProxies: [], trustedSubdomains: false, credentialsMax: 1_000 };

/** As much of a request as is looked at. */
export function request(headers: IncomingHttpHeaders, { method = 'GET', remoteAddress = '203.0.113.5' } = {}): IncomingMessage {
  return { method, headers, socket: { remoteAddress } } as unknown as IncomingMessage;
}

/** The identification of a gateway before a tenant-service and an auth-service of two tenants, with a clock that stands still unless it is told to go. */
export function house(more: Partial<IdentificationConfig> = {}) {
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  const tenants = new Map<string, TenantFacts>();
  for (const tenantId of [acme, globex]) tenants.set(tenantId, { tenantId, status: 'active', plan: 'starter', rateLimit: 100, subdomain: tenantId, corsOrigins: [] });
  const keys = new Map<string, Omit<ResolvedApiKey, 'tenant'> & { readonly tenantId: string }>();
  const tokens = new Map<string, TokenHolder>();
  const state = { isAway: false, hasLegacy: false, before: async () => undefined as unknown };
  const kit = testKit({
    name: 'api-gateway',
    config: { ...configDefault, ...more },
    now: () => new Date(nowMs),
    answer: async ({ contract, input }) => {
      if (state.isAway) throw hubError('service.unavailable');
      if (contract === findLegacyApiKeys) return { any: state.hasLegacy };
      if (contract === resolveApiKey) {
        const known = keys.get((input.body as BodyOf<typeof resolveApiKey>).apiKey);
        await state.before();
        const tenant = tenants.get(known?.tenantId ?? '');
        if (known === undefined || tenant === undefined) throw hubError('auth.missing');
        return { ...known, tenant };
      }
      if (contract === resolveApiKeys) {
        const found = (input.body as BodyOf<typeof resolveApiKeys>).apiKeys.map((apiKey) => keys.get(apiKey));
        await state.before();
        const tenantsOf = new Set(found.map((key) => tenants.get(key?.tenantId ?? '')).filter((facts) => facts !== undefined));
        return { keys: found.map((key) => key ?? null), tenants: [...tenantsOf] };
      }
      if (contract === verifyToken) {
        const holder = tokens.get((input.body as BodyOf<typeof verifyToken>).token);
        await state.before();
        if (holder === undefined) throw hubError('auth.missing');
        return holder;
      }
      await state.before();
      const wanted = input.body as BodyOf<typeof resolveTenant>;
      return { tenant: [...tenants.values()].find((tenant) => ('tenantId' in wanted ? tenant.tenantId === wanted.tenantId : tenant.subdomain === wanted.subdomain)) ?? null };
    },
  });
  const identification = createIdentification(kit);
  const at = (seconds: number) => new Date(nowMs + seconds * 1_000).toISOString();

  const addKey = (of: Partial<ResolvedApiKey> & { readonly tenantId: string; readonly text?: string }) => {
    const { tenantId, text, ...facts } = of;
    const keyId: ApiKeyId = newId('key');
    const apiKey = text ?? generateApiKey(keyId);
    keys.set(apiKey, { keyId, scopes: ['state:read'], expiresAt: null, cidrs: [], rateLimit: null, tenantId, ...facts });
    return apiKey;
  };
  const tokenOf = (endsInSeconds: number) => tokenText({ exp: nowMs / 1_000 + endsInSeconds, jti: newId('ses') });
  const addMember = (tenantId: typeof acme, { subject = newId('mbr'), endsInSeconds = 900 }: { subject?: string; endsInSeconds?: number } = {}) => {
    const token = tokenOf(endsInSeconds);
    tokens.set(token, { kind: 'member', tenantId, subject, role: 'agent', scopes: ['state:read', 'state:write'], expiresAt: at(endsInSeconds) });
    return token;
  };
  const addStaff = () => {
    const token = tokenOf(900);
    tokens.set(token, { kind: 'platform', subject: newId('mbr'), expiresAt: at(900) });
    return token;
  };

  return {
    ...identification,
    /** Throws nothing at once: what it throws, it rejects with. */
    identify: async (headers: IncomingHttpHeaders, of?: Parameters<typeof request>[1]) => identification.identify(request(headers, of)),
    identifyNow: identification.identify,
    addKey,
    addMember,
    addStaff,
    /** A token of the right form that nobody made. */
    forgedToken: () => tokenOf(900),
    revoke: (text: string) => keys.delete(text) || tokens.delete(text),
    setTenant: (tenantId: string, facts: Partial<TenantFacts>) => tenants.set(tenantId, { ...tenants.get(tenantId)!, ...facts }),
    state,
    asked: () => kit.calls.length,
    pass: (ms: number) => (nowMs += ms),
    at,
  };
}
