import { hubError, verifyToken } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { knownForMs, type Source } from './credential-cache.ts';
import type { SharedParts } from './shared-parts.ts';
import type { TenantLookup } from './tenant-lookup.ts';

/** Algorithms that some issuer may be trusted with (which one, auth-service knows). `none` is not one. */
const algorithms: ReadonlySet<unknown> = new Set(['ES256', 'ES384', 'ES512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'EdDSA', 'HS256', 'HS384', 'HS512']);
/** Characters of a token. */
const tokenMax = 8_192;
const tokenPattern = /^([\w-]+)\.([\w-]+)\.[\w-]+$/;

type TokenSourceOptions = { readonly callRoute: CallRoute; readonly tenants: Pick<TenantLookup, 'byId'>; readonly parts: SharedParts; readonly now: () => number };

/** Bearer tokens (JWT), verified at auth-service. */
export function createTokenSource({ callRoute, tenants, parts, now }: TokenSourceOptions): Source {
  return {
    isPossible(text) {
      if (text.length > tokenMax) return false;
      const [, header, payload] = tokenPattern.exec(text) ?? [];
      if (header === undefined || payload === undefined) return false;
      const end = readPart(payload)?.['exp'];
      return algorithms.has(readPart(header)?.['alg']) && typeof end === 'number' && end * 1000 > now();
    },
    async load(token) {
      const askedAt = now();
      const holder = await runAsSystem('find the holder of a token', () => callRoute('auth-service', verifyToken, { body: { token } }));
      const end = Math.min(Date.parse(holder.expiresAt), askedAt + knownForMs);
      if (holder.kind === 'platform') return { credential: { kind: 'platform', subject: holder.subject }, until: end };
      const tenant = await tenants.byId(holder.tenantId);
      if (tenant === undefined) throw hubError('auth.missing');
      const { facts: answered, until } = tenant;
      const facts = parts.facts(answered);
      const { subject, role } = holder;
      const caller = { tenantId: facts.tenantId, subject, via: 'member', role, scopes: parts.scopes(holder.scopes), rateLimit: facts.rateLimit, keyRateLimit: null, tenant: facts } as const;
      return { credential: { kind: 'caller', caller, networks: undefined }, until: Math.min(end, until) };
    },
  };
}

function readPart(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
