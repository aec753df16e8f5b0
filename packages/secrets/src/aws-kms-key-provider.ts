import { randomBytes } from 'node:crypto';
import { AwsV4Signer } from 'aws4fetch';
import { keyLength } from './aead.ts';
import { answerMsDefault, askKeyServer, keyServerUrl, providerUnavailable, refusedByProvider, textAt, type KeyServerAnswer } from './ask-key-server.ts';
import type { KeyProvider } from './port.ts';

export type AwsKmsKeyProviderOptions = {
  /** Id, ARN or alias (`alias/…`) of a symmetric key. */
  readonly keyId: string;
  readonly region: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  /** Instead of the region's own address: a VPC endpoint, a stand-in. */
  readonly endpoint?: string;
  readonly answerMsMax?: number;
};

const provider = 'aws-kms';
const idPrefix = 'aws-kms:';

/** Errors of Decrypt that say the ciphertext itself is wrong; all others are about the key, the caller or the service, and may pass. */
const unreadable = new Set(['InvalidCiphertextException', 'IncorrectKeyException', 'ValidationException']);

/**
 * AWS KMS (https://docs.aws.amazon.com/kms/latest/APIReference/API_Encrypt.html, 2026-11): JSON 1.1 with Signature Version 4. The tenant is in the
 * encryption context, which KMS authenticates and writes to CloudTrail. The caller needs kms:Encrypt on the key, and kms:Decrypt on it and on those
 * used before; give the policy these keys by name, not `*`. Throws an Error of one sentence when the options cannot be right.
 */
export function createAwsKmsKeyProvider(options: AwsKmsKeyProviderOptions): KeyProvider {
  const { keyId: configuredKey, region, accessKeyId, secretAccessKey, sessionToken, answerMsMax = answerMsDefault } = options;
  if (!/^[a-z0-9-]+$/.test(region)) throw new Error('AWS_REGION must be the name of a region, such as eu-central-1.');
  const base = keyServerUrl(options.endpoint ?? `https://kms.${region}.amazonaws.com`, 'AWS_KMS_ENDPOINT');

  async function ask(action: 'Encrypt' | 'Decrypt', request: object): Promise<KeyServerAnswer> {
    const body = JSON.stringify(request);
    const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${action}` };
    const signer = new AwsV4Signer({ method: 'POST', url: `${base}/`, headers, body, accessKeyId, secretAccessKey, ...(sessionToken !== undefined && { sessionToken }), service: 'kms', region, allHeaders: true });
    const signed = await signer.sign();
    return await askKeyServer(provider, { url: signed.url.href, headers: signed.headers, body, answerMsMax });
  }

  async function wrap(dataKey: Buffer, tenantId: string) {
    const { status, body } = await ask('Encrypt', { KeyId: configuredKey, Plaintext: dataKey.toString('base64'), EncryptionContext: contextOf(tenantId) });
    const [blob, arn] = [textAt(body, 'CiphertextBlob'), textAt(body, 'KeyId')];
    if (status !== 200 || blob === undefined || arn === undefined) throw providerUnavailable(provider, errorOf(body), { status });
    // The key that an alias means now, so that turning the alias to another key makes the wrapped ones outdated.
    return { keyId: `${idPrefix}${arn}`, wrapped: Buffer.from(blob, 'base64') };
  }

  return {
    currentKeyId: async () => (await wrap(randomBytes(keyLength), 'none')).keyId,
    owns: (keyId) => keyId.startsWith(idPrefix),
    wrap,
    async unwrap({ keyId, wrapped }, tenantId) {
      if (!keyId.startsWith(idPrefix)) throw refusedByProvider(provider, 'unknown key-encryption key');
      const { status, body } = await ask('Decrypt', { KeyId: keyId.slice(idPrefix.length), CiphertextBlob: wrapped.toString('base64'), EncryptionContext: contextOf(tenantId) });
      if (status === 400 && unreadable.has(errorOf(body))) throw refusedByProvider(provider, errorOf(body));
      const plaintext = textAt(body, 'Plaintext');
      if (status !== 200 || plaintext === undefined) throw providerUnavailable(provider, errorOf(body), { status });
      const dataKey = Buffer.from(plaintext, 'base64');
      if (dataKey.length !== keyLength) throw refusedByProvider(provider, 'not a data key');
      return dataKey;
    },
  };
}

function contextOf(tenantId: string): Record<string, string> {
  return { purpose: 'switchboard data key', tenant: tenantId };
}

/** `com.amazonaws.kms#DisabledException` and `DisabledException` are the same. Cut: it goes to a log, and comes from outside. */
function errorOf(body: unknown): string {
  return (textAt(body, '__type') ?? 'an answer that is none of KMS').split('#').at(-1)?.slice(0, 100) ?? '';
}
