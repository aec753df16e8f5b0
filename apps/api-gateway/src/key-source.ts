import type { Maybe } from '@switchboard/cache';
import { findLegacyApiKeys, hubError, isPlausibleLegacyApiKey, parseApiKey, resolveApiKey, type ResolvedApiKey, type Scope } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { knownForMs, type Credential, type Source } from './credential-cache.ts';
import { parseNetworks } from './networks.ts';

/** Milliseconds between two questions whether there are keys that another installation made: they come by a migration and never otherwise. */
const legacyKnownForMs = 10_000;

/** API keys, looked up at tenant-service. */
export function createKeySource({ callRoute, now }: { readonly callRoute: CallRoute; readonly now: () => number }): Source {
  const legacy = createLegacyQuestion(callRoute, now);
  return {
    isPossible: (text) => parseApiKey(text) !== undefined || (legacy.known() !== false && isPlausibleLegacyApiKey(text)),
    async load(apiKey) {
      if (parseApiKey(apiKey) === undefined && !(await legacy.ask())) throw hubError('auth.missing');
      const askedAt = now();
      const resolved = await runAsSystem('find the tenant of an API key', () => callRoute('tenant-service', resolveApiKey, { body: { apiKey } }));
      const end = resolved.expiresAt === null ? Infinity : Date.parse(resolved.expiresAt);
      return { credential: credentialOf(resolved), until: Math.min(end, askedAt + knownForMs) };
    },
  };
}

function credentialOf({ keyId, scopes, cidrs, rateLimit, tenant }: ResolvedApiKey): Credential {
  return {
    kind: 'caller',
    // Scopes that this version does not know match no route.
    caller: { tenantId: tenant.tenantId, subject: keyId, via: 'key', role: undefined, scopes: scopes as Scope[], rateLimit: tenant.rateLimit, keyRateLimit: rateLimit, tenant },
    networks: cidrs.length === 0 ? undefined : parseNetworks(cidrs).networks,
  };
}

/** Whether the installation has keys that are not of our form: where it has none, a text without it is refused before anybody is asked. */
function createLegacyQuestion(callRoute: CallRoute, now: () => number): { readonly known: () => boolean | undefined; readonly ask: () => Maybe<boolean> } {
  let answer: { readonly any: boolean; readonly until: number } | undefined;
  let asked: Promise<boolean> | undefined;
  const known = () => (answer !== undefined && answer.until > now() ? answer.any : undefined);
  const question = async () => {
    try {
      const { any } = await runAsSystem('whether there are keys of another installation', () => callRoute('tenant-service', findLegacyApiKeys, {}));
      answer = { any, until: now() + legacyKnownForMs };
      return any;
    } finally {
      asked = undefined;
    }
  };
  return { known, ask: () => known() ?? (asked ??= question()) };
}
