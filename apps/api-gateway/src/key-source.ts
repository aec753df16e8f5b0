import type { Maybe } from '@switchboard/cache';
import { findLegacyApiKeys, hubError, isPlausibleLegacyApiKey, parseApiKey, resolveApiKey, resolveApiKeys, resolvedApiKeysMax, type ResolvedApiKey } from '@switchboard/contracts';
import { networkOf, type CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { knownForMs, type Credential, type Source } from './credential-cache.ts';
import { rateOf } from './domain/decide-limit.ts';
import { createGather } from './gather.ts';
import { createLocalLimit } from './local-limit.ts';
import type { SharedParts } from './shared-parts.ts';

/** Milliseconds between two questions whether there are keys that another installation made: they come by a migration and never otherwise. */
const legacyKnownForMs = 10_000;

/** Keys of another installation that one address, or network of one machine, may try in a minute: they have no checksum, so that each guess is a question. */
const guessRate = rateOf(600, 60);

/** Milliseconds that one question about many keys holds up the next: many times what it takes. */
const patienceMs = 50;

/**
 * API keys, looked up at tenant-service. Those that were valid lately are asked about together: each comes back every ten seconds, and with
 * fifty thousand of them a question each would cost more than the requests. A stranger's question is its own, so that a flood of them is not in the others'.
 */
export function createKeySource({ callRoute, parts, now }: { readonly callRoute: CallRoute; readonly parts: SharedParts; readonly now: () => number }): Source {
  const askTogether = createGather({ ask: (apiKeys: readonly string[]) => resolveMany(callRoute, apiKeys), questionsMax: resolvedApiKeysMax, patienceMs });
  const legacy = createLegacyQuestion(callRoute, now);
  const guesses = createLocalLimit();

  async function assertLegacy(from: string | undefined): Promise<void> {
    if (!(await legacy.ask())) throw hubError('auth.missing');
    if (from === undefined) return;
    const { isAccepted, resetMs } = guesses([{ id: networkOf(from), rate: guessRate }], now());
    if (!isAccepted) throw hubError('limit.rate_exceeded', { publicMessage: 'Too many keys were tried from this address.', retry: { afterMs: resetMs } });
  }
  return {
    isPossible: (text) => parseApiKey(text) !== undefined || (legacy.known() !== false && isPlausibleLegacyApiKey(text)),
    async load(apiKey, guessedFrom) {
      const isOurs = parseApiKey(apiKey) !== undefined;
      if (!isOurs) await assertLegacy(guessedFrom);
      const askedAt = now();
      const resolved = isOurs && guessedFrom === undefined ? await askTogether(apiKey) : await runAsSystem('find the tenant of an API key', () => callRoute('tenant-service', resolveApiKey, { body: { apiKey } }));
      if (resolved === undefined) throw hubError('auth.missing');
      const end = resolved.expiresAt === null ? Infinity : Date.parse(resolved.expiresAt);
      return { credential: credentialOf(resolved, parts), until: Math.min(end, askedAt + knownForMs) };
    },
  };
}

/** In the order asked; undefined for one that opens nothing. */
async function resolveMany(callRoute: CallRoute, apiKeys: readonly string[]): Promise<(ResolvedApiKey | undefined)[]> {
  const { keys, tenants } = await runAsSystem('find the tenants of API keys', () => callRoute('tenant-service', resolveApiKeys, { body: { apiKeys: [...apiKeys] } }));
  const factsOf = new Map(tenants.map((facts) => [facts.tenantId, facts]));
  return keys.map((key) => {
    const tenant = key === null ? undefined : factsOf.get(key.tenantId);
    return key === null || tenant === undefined ? undefined : { ...key, tenant };
  });
}

function credentialOf({ keyId, scopes, cidrs, rateLimit, tenant: answered }: ResolvedApiKey, parts: SharedParts): Credential {
  const tenant = parts.facts(answered);
  return {
    kind: 'caller',
    caller: { tenantId: tenant.tenantId, subject: keyId, via: 'key', role: undefined, scopes: parts.scopes(scopes), rateLimit: tenant.rateLimit, keyRateLimit: rateLimit, tenant },
    networks: parts.networks(cidrs),
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
