import { apiKeyLength, hubError, isHubError, parseApiKey, resolveApiKey, type ApiKeyId, type ResolvedApiKey, type Scope, type TenantId } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';

/** Who is behind a key. */
export type Caller = {
  readonly tenantId: TenantId;
  readonly keyId: string;
  readonly scopes: readonly Scope[];
  /** Requests a minute. */
  readonly rateLimit: number;
};

export interface CallerLookup {
  /** Throws one and the same `auth.missing` for no key, garbage, an unknown, a revoked and an expired one; `tenant.suspended`; `service.unavailable`. */
  find(apiKey: string | undefined): Caller | Promise<Caller>;
  forgetKey(keyId: string): void;
  forgetTenant(tenantId: TenantId): void;
}

/** Milliseconds: how long a revoked key can live on at the worst, when its event does not come. */
const knownForMs = 10_000;
/** Milliseconds: long enough to take the force out of a loop with a wrong key, short enough that nobody waits for a new one. */
const unknownForMs = 1_000;
/** Keys in memory, about 500 bytes each. */
const entriesMax = 50_000;

type Entry = { readonly keyId: ApiKeyId; readonly answer: Answer; readonly until: number };
type Answer = { readonly kind: 'caller'; readonly caller: Caller } | { readonly kind: 'suspended'; readonly tenantId: TenantId } | { readonly kind: 'nobody' };

/** Looks keys up at tenant-service and remembers them by hash for some seconds; ten requests with one new key ask once. */
export function createCallerLookup({ callRoute, now }: { readonly callRoute: CallRoute; readonly now: () => Date }): CallerLookup {
  const entries = new Map<string, Entry>();
  const asked = new Map<string, Promise<Answer>>();
  // Grows with every "forget": an answer that was asked for before is not remembered, because it may be the old one.
  let generation = 0;

  async function ask(hash: string, keyId: ApiKeyId, apiKey: string): Promise<Answer> {
    const askedIn = generation;
    const resolved = await resolve(callRoute, apiKey);
    const answer = judge(resolved, now());
    if (askedIn === generation) remember(hash, { keyId, answer, until: untilOf(answer, resolved, now()) });
    return answer;
  }

  function remember(hash: string, entry: Entry): void {
    // Oldest first: a map keeps the order of insertion.
    if (entries.size >= entriesMax) for (const oldest of entries.keys()) if (entries.delete(oldest)) break;
    entries.set(hash, entry);
  }

  function forget(isMeant: (entry: Entry) => boolean): void {
    generation++;
    // Waiting requests get the answer they asked for; the next one asks anew.
    asked.clear();
    for (const [hash, entry] of entries) if (isMeant(entry)) entries.delete(hash);
  }

  return {
    find(apiKey) {
      if (apiKey?.length !== apiKeyLength) throw hubError('auth.missing');
      const hash = createHash('sha256').update(apiKey).digest('base64');
      const entry = entries.get(hash);
      if (entry !== undefined) {
        if (entry.until > now().getTime()) return callerOf(entry.answer);
        entries.delete(hash);
      }
      // A wrong checksum ends here, before anybody is asked.
      const parsed = parseApiKey(apiKey);
      if (parsed === undefined) throw hubError('auth.missing');
      let answer = asked.get(hash);
      if (answer === undefined) {
        const mine = ask(hash, parsed.keyId, apiKey).finally(() => {
          if (asked.get(hash) === mine) asked.delete(hash);
        });
        asked.set(hash, (answer = mine));
      }
      return answer.then(callerOf);
    },
    forgetKey: (keyId) => forget((entry) => entry.keyId === keyId),
    forgetTenant: (tenantId) => forget(({ answer }) => (answer.kind === 'caller' ? answer.caller.tenantId === tenantId : answer.kind === 'suspended' && answer.tenantId === tenantId)),
  };
}

async function resolve(callRoute: CallRoute, apiKey: string): Promise<ResolvedApiKey | undefined> {
  try {
    return await runAsSystem('find the tenant of an API key', () => callRoute('tenant-service', resolveApiKey, { body: { apiKey } }));
  } catch (error) {
    if (isHubError(error) && error.code === 'auth.missing') return undefined;
    throw error;
  }
}

function judge(resolved: ResolvedApiKey | undefined, now: Date): Answer {
  if (resolved === undefined) return { kind: 'nobody' };
  if (resolved.expiresAt !== null && Date.parse(resolved.expiresAt) <= now.getTime()) return { kind: 'nobody' };
  if (resolved.tenant.status !== 'active') return { kind: 'suspended', tenantId: resolved.tenant.tenantId };
  const { keyId, tenant: { tenantId, rateLimit } } = resolved;
  // Scopes that this version does not know match no route.
  return { kind: 'caller', caller: { tenantId, keyId, rateLimit, scopes: resolved.scopes as Scope[] } };
}

function untilOf(answer: Answer, resolved: ResolvedApiKey | undefined, now: Date): number {
  const byAge = now.getTime() + (answer.kind === 'nobody' ? unknownForMs : knownForMs);
  return answer.kind === 'caller' && resolved?.expiresAt ? Math.min(byAge, Date.parse(resolved.expiresAt)) : byAge;
}

function callerOf(answer: Answer): Caller {
  if (answer.kind === 'caller') return answer.caller;
  throw hubError(answer.kind === 'suspended' ? 'tenant.suspended' : 'auth.missing');
}
