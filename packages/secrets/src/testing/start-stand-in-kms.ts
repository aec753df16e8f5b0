import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { serveJson, type Answer, type Call, type StandIn } from './serve-json.ts';

export const standInKmsCredentials = { accessKeyId: 'AKIASTANDIN', secretAccessKey: 'stand-in/secret+access-key', region: 'eu-central-1' } as const;

export type StandInKms = StandIn & {
  /** What `alias/switchboard` means; keys are made when they are first named. */
  alias: string;
  readonly disabled: Set<string>;
};

type Request = { readonly KeyId?: string; readonly Plaintext?: string; readonly CiphertextBlob?: string; readonly EncryptionContext?: Record<string, string> };

/**
 * AWS KMS' Encrypt and Decrypt as its HTTP API behaves: JSON 1.1 chosen by X-Amz-Target, Signature Version 4 checked by a second implementation of
 * its rules (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html), errors as 400 with `__type`.
 */
export async function startStandInKms(): Promise<StandInKms> {
  const keys = new Map<string, Buffer>();
  const fail = (type: string, status = 400): Answer => ({ status, json: { __type: type, message: `${type} of the stand-in` } });
  const arnOf = (name: string) => (name.startsWith('arn:') ? name : `arn:aws:kms:${standInKmsCredentials.region}:111122223333:key/${name === 'alias/switchboard' ? kms.alias : name}`);
  const keyOf = (arn: string) => keys.get(arn) ?? keys.set(arn, randomBytes(32)).get(arn) ?? Buffer.alloc(0);
  const aadOf = (context: Record<string, string> = {}) => Buffer.from(JSON.stringify(Object.entries(context).toSorted()));

  const standIn = await serveJson((call) => {
    const fault = faultOfSignature(call);
    if (fault !== undefined) return fail(fault);
    if (call.headers['content-type'] !== 'application/x-amz-json-1.1') return fail('SerializationException');
    const request = JSON.parse(call.text) as Request;
    const arn = arnOf(request.KeyId ?? '');
    if (kms.disabled.has(arn)) return fail('DisabledException');
    const aad = aadOf(request.EncryptionContext);
    if (call.headers['x-amz-target'] === 'TrentService.Encrypt') {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', keyOf(arn), nonce).setAAD(aad);
      const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(request.Plaintext ?? '', 'base64')), cipher.final(), cipher.getAuthTag()]);
      return { status: 200, json: { KeyId: arn, CiphertextBlob: sealed.toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    }
    if (call.headers['x-amz-target'] !== 'TrentService.Decrypt') return fail('UnknownOperationException');
    const sealed = Buffer.from(request.CiphertextBlob ?? '', 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', keyOf(arn), sealed.subarray(0, 12)).setAAD(aad).setAuthTag(sealed.subarray(-16));
      return { status: 200, json: { KeyId: arn, Plaintext: Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('base64'), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' } };
    } catch {
      return fail('InvalidCiphertextException');
    }
  });
  const kms: StandInKms = Object.assign(standIn, { alias: 'first', disabled: new Set<string>() });
  return kms;
}

function faultOfSignature({ method, path, headers, text }: Call): string | undefined {
  const [, accessKeyId, scope, signedHeaders, signature] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/.exec(headers.authorization ?? '') ?? [];
  if (scope === undefined || signedHeaders === undefined) return 'MissingAuthenticationTokenException';
  if (accessKeyId !== standInKmsCredentials.accessKeyId) return 'UnrecognizedClientException';
  const names = signedHeaders.split(';');
  const at = String(headers['x-amz-date']);
  const day = at.slice(0, 8);
  if (scope !== `${day}/${standInKmsCredentials.region}/kms/aws4_request` || !['host', 'x-amz-date', 'x-amz-target'].every((name) => names.includes(name))) return 'IncompleteSignatureException';
  const canonical = [method, path, '', ...names.map((name) => `${name}:${String(headers[name]).trim()}`), '', signedHeaders, sha256(text)].join('\n');
  const key = ['aws4_request', 'kms', standInKmsCredentials.region, day].reduceRight<Buffer>((under, part) => hmac(under, part), Buffer.from(`AWS4${standInKmsCredentials.secretAccessKey}`));
  return hmac(key, ['AWS4-HMAC-SHA256', at, scope, sha256(canonical)].join('\n')).toString('hex') === signature ? undefined : 'InvalidSignatureException';
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
