import type { Maybe } from '@switchboard/cache';
import { findLegacyApiKeys, hubError, isPlausibleLegacyApiKey, parseApiKey, resolveApiKey, type ResolvedApiKey, type Scope } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { knownForMs, type Credential, type Source } from './credential-cache.ts';
import { rateOf } from './domain/decide-limit.ts';
import { createLocalLimit } from './local-limit.ts';
import { parseNetworks } from './networks.ts';

/** Milliseconds between two questions whether there are keys that another installation made: they come by a migration and never otherwise. */
const legacyKnownForMs = 10_000;

/** Keys of another installation that one address may try in a minute: they have no checksum, so that each guess is a question. */
const guessRate = rateOf(600, 60);

/** API keys, looked up at tenant-service. */
export function createKeySource({ callRoute, now }: { readonly callRoute: CallRoute; readonly now: () => number }): Source {
  const legacy = createLegacyQuestion(callRoute, now);
  const guesses = createLocalLimit();

  async function assertLegacy(from: string | undefined): Promise<void> {
    if (!(await legacy.ask())) throw hubError('auth.missing');
    if (from === undefined) return;
    const { isAccepted, resetMs } = guesses([{ id: from, rate: guessRate }], now());
    if (!isAccepted) throw hubError('limit.rate_exceeded', { publicMessage: 'Too many keys were tried from this address.', retry: { afterMs: resetMs } });
  }
  return {
    isPossible: (text) => parseApiKey(text) !== undefined || (legacy.known() !== false && isPlausibleLegacyApiKey(text)),
    async load(apiKey, guessedFrom) {
      if (parseApiKey(apiKey) === undefined) await assertLegacy(guessedFrom);
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
