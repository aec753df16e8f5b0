import { generateApiKey, type ApiKeyId } from '@switchboard/contracts';
import { hashApiKey } from '@switchboard/secrets';

/** Milliseconds for which a repetition of a request is answered as the first one was. */
export const repeatableMs = 24 * 3_600_000;

/** A creation that its caller can repeat. Of the Idempotency-Key only a hash is kept. */
export type CreationRequest = { readonly key: string; readonly fingerprint: string; /** Not kept anywhere. */ readonly idempotencyKey: string };

export function creationOf(pepper: string, idempotencyKey: string, body: object): CreationRequest {
  // Sorted, so that the order in which fields were sent makes no difference.
  const sorted = JSON.stringify(Object.entries(body).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  return { key: hashApiKey(pepper, `creation key\n${idempotencyKey}`), fingerprint: hashApiKey(pepper, `creation request\n${sorted}`), idempotencyKey };
}

/** The text of a new key: random, or one that the same request gives again. */
export function textOfKey(pepper: string, keyId: ApiKeyId, request: CreationRequest | undefined): string {
  return request === undefined ? generateApiKey(keyId) : generateApiKey(keyId, creationBytes(pepper, request, keyId));
}

/**
 * Bytes of the API key of a creation with an Idempotency-Key: they follow from the pepper, the Idempotency-Key and the key's random id, so
 * that whoever lost the answer gets the same one by repeating, and nothing is kept that opens anything.
 */
function creationBytes(pepper: string, { idempotencyKey }: CreationRequest, keyId: ApiKeyId): (length: number) => Uint8Array {
  let block = 0;
  return (length) => {
    const bytes: number[] = [];
    while (bytes.length < length) bytes.push(...Buffer.from(hashApiKey(pepper, `first key\n${keyId}\n${block++}\n${idempotencyKey}`), 'hex'));
    return Uint8Array.from(bytes.slice(0, length));
  };
}
