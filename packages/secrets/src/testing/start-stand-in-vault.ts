import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';
import { serveJson, type Answer, type StandIn } from './serve-json.ts';

export type StandInVault = StandIn & {
  token: string;
  /** The key's versions, the newest last; `rotate` adds one. */
  rotate(): void;
  /** Versions below are not decrypted any more. */
  decryptsFrom: number;
  /** As Vault before 1.13, or a key that is no AEAD: what `associated_data` says is not looked at. */
  ignoresAssociatedData: boolean;
};

type Request = { readonly plaintext?: string; readonly ciphertext?: string; readonly context?: string; readonly associated_data?: string };

/**
 * Vault's transit engine with one key, as its HTTP API behaves: `derived` keys want a context, ciphertexts are `vault:v<version>:<base64>`, a token
 * that is wrong gets 403, a name that is not there 404 on decrypt, and a ciphertext that does not open 400.
 */
export async function startStandInVault(options: { readonly mount?: string; readonly key?: string; readonly derived?: boolean } = {}): Promise<StandInVault> {
  const { mount = 'transit', key = 'switchboard', derived = false } = options;
  const versions = [randomBytes(32)];
  const fail = (status: number, ...errors: string[]): Answer => ({ status, json: { errors } });
  const keyOf = (version: number, context: string | undefined) => {
    const root = versions[version - 1] ?? Buffer.alloc(32);
    return derived ? createHmac('sha256', root).update(Buffer.from(context ?? '', 'base64')).digest() : root;
  };
  const aadOf = (request: Request) => Buffer.from(vault.ignoresAssociatedData ? '' : (request.associated_data ?? ''), 'base64');

  const standIn = await serveJson(({ method, path, headers, text }) => {
    if (headers['x-vault-token'] !== vault.token) return fail(403, 'permission denied');
    const [, verb] = new RegExp(`^/v1/${mount}/(encrypt|decrypt)/${key}$`).exec(path) ?? [];
    if (method !== 'POST' || verb === undefined) return fail(404);
    const request = JSON.parse(text) as Request;
    if (derived && request.context === undefined) return fail(400, "missing 'context' for key derivation; the key was created using a derived key, which means additional, per-request information must be included in order to perform operations with the key");
    if (verb === 'encrypt') {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', keyOf(versions.length, request.context), nonce).setAAD(aadOf(request));
      const sealed = Buffer.concat([nonce, cipher.update(Buffer.from(request.plaintext ?? '', 'base64')), cipher.final(), cipher.getAuthTag()]);
      return { status: 200, json: { data: { ciphertext: `vault:v${versions.length}:${sealed.toString('base64')}`, key_version: versions.length } } };
    }
    const [, version, blob] = /^vault:v(\d+):(.+)$/.exec(request.ciphertext ?? '') ?? [];
    if (version === undefined || blob === undefined) return fail(400, 'invalid ciphertext: no prefix');
    if (Number(version) < vault.decryptsFrom || Number(version) > versions.length) return fail(400, 'ciphertext or signature version is disallowed by policy (too old)');
    const sealed = Buffer.from(blob, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', keyOf(Number(version), request.context), sealed.subarray(0, 12)).setAAD(aadOf(request)).setAuthTag(sealed.subarray(-16));
      return { status: 200, json: { data: { plaintext: Buffer.concat([decipher.update(sealed.subarray(12, -16)), decipher.final()]).toString('base64') } } };
    } catch {
      return fail(400, 'invalid ciphertext: unable to decrypt');
    }
  });
  const vault: StandInVault = Object.assign(standIn, { token: 'hvs.stand-in-token', decryptsFrom: 1, ignoresAssociatedData: false, rotate: () => void versions.push(randomBytes(32)) });
  return vault;
}
