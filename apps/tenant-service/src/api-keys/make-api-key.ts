import { apiKeyIdSchema, apiKeysMax, hubError, newId, type createApiKey, type ReplyOf } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { currentTenant } from '@switchboard/tenant-context';
import type { Dependencies } from '../app.ts';
import { apiKeyRecord, apiKeyStatus } from '../domain/api-key-record.ts';
import type { KeyBounds } from '../domain/assert-grantable.ts';
import { creationOf, repeatableMs, textOfKey, type CreationRequest } from '../tenants/creation.ts';
import { issueApiKey, type ApiKeyWish } from './issue-api-key.ts';

type KeyRequest = {
  readonly principal: Principal;
  readonly idempotencyKey: string | undefined;
  /** All that was asked for. A repetition asks for the same. */
  readonly asked: object;
};

/** Called inside the transaction: what key is wished, and what is done when it was made. `own`: the bounds of the key that asks, if one does. */
type KeyDecision = (own: KeyBounds | undefined) => Promise<{ readonly wish: ApiKeyWish; readonly onMade?: (keyId: ReplyOf<typeof createApiKey>['key']['keyId']) => Promise<void> }>;

/**
 * Makes a key of the current tenant, one after the other, so that as many as allowed are counted; answers a repetition as it answered the first
 * time. Throws `api_key.too_many`, `request.idempotency_conflict`, `tenant.not_found`, `auth.missing` when the key that asks is gone.
 */
export function makeApiKey(deps: Dependencies, { principal, idempotencyKey, asked }: KeyRequest, decide: KeyDecision): Promise<ReplyOf<typeof createApiKey>> {
  const { db, tenants, apiKeys, config, now } = deps;
  // An Idempotency-Key is its caller's own: nobody gets a key shown that another one made.
  const who = principal.kind === 'admin' || principal.kind === 'tenant' ? principal.subject : principal.kind;
  const creation = idempotencyKey === undefined ? undefined : creationOf(config.apiKeyPepper, `${currentTenant()}\n${who}\n${idempotencyKey}`, asked);
  return db.transaction(async () => {
    await tenants.lock();
    const repeated = creation && (await findRepeated(deps, creation));
    if (repeated !== undefined) return repeated;
    const { wish, onMade } = await decide(await boundsOf(deps, principal));
    if ((await apiKeys.countActive(now())) >= apiKeysMax) throw hubError('api_key.too_many', { publicMessage: `A tenant has no more than ${apiKeysMax} active keys.` });
    const keyId = newId('key');
    const apiKey = textOfKey(config.apiKeyPepper, keyId, creation);
    const key = await issueApiKey(deps, { keyId, apiKey, wish, creation });
    await onMade?.(keyId);
    return { key: apiKeyRecord(key, now()), apiKey };
  });
}

/** The key that asks; undefined for people and the platform. */
async function boundsOf({ apiKeys, now }: Dependencies, principal: Principal): Promise<KeyBounds | undefined> {
  if (principal.kind !== 'tenant' || principal.via !== 'key') return undefined;
  const own = apiKeyIdSchema.safeParse(principal.subject);
  const key = own.success ? await apiKeys.findOwn(own.data) : undefined;
  // Ended a moment ago, while the gateway still knew it.
  if (key === undefined || apiKeyStatus(key, now()) !== 'active') throw hubError('auth.missing');
  return key;
}

async function findRepeated({ apiKeys, config, now }: Dependencies, creation: CreationRequest): Promise<ReplyOf<typeof createApiKey> | undefined> {
  const made = await apiKeys.findByCreationKey(creation.key);
  if (made === undefined) return undefined;
  if (now().getTime() - made.key.createdAt.getTime() > repeatableMs) {
    await apiKeys.forgetCreation(made.key.keyId);
    return undefined;
  }
  if (made.request !== creation.fingerprint) throw hubError('request.idempotency_conflict');
  return { key: apiKeyRecord(made.key, now()), apiKey: textOfKey(config.apiKeyPepper, made.key.keyId, creation) };
}
