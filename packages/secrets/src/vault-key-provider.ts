import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { associate, keyLength } from './aead.ts';
import { answerMsDefault, askKeyServer, keyServerUrl, providerUnavailable, refusedByProvider, textAt } from './ask-key-server.ts';
import type { KeyProvider } from './port.ts';

export type VaultKeyProviderOptions = {
  /** VAULT_ADDR, e.g. https://vault.example:8200 */
  readonly address: string;
  readonly token: string;
  /** Name of the transit key. */
  readonly key: string;
  /** Where the transit engine is mounted; `transit` by default. */
  readonly mount?: string;
  /** Vault Enterprise and HCP. */
  readonly namespace?: string;
  readonly answerMsMax?: number;
};

const provider = 'vault-transit';

/**
 * HashiCorp Vault's transit engine (also OpenBao): https://developer.hashicorp.com/vault/api-docs/secret/transit, 2026-11. The token needs `update` on
 * `<mount>/encrypt/<key>` and `<mount>/decrypt/<key>`, and nothing else. The tenant is bound three ways, since what Vault honours depends on the
 * key: `context` derives a key of its own where the key was made with `derived=true`, `associated_data` is authenticated by AEAD keys since Vault 1.13,
 * and a hash of it lies beside the data key for all others. Throws an Error of one sentence when the options cannot be right.
 */
export function createVaultKeyProvider(options: VaultKeyProviderOptions): KeyProvider {
  const { token, key, mount = 'transit', namespace, answerMsMax = answerMsDefault } = options;
  const base = keyServerUrl(options.address, 'VAULT_ADDR');
  if (!/^[\w.-]+$/.test(key)) throw new Error('VAULT_TRANSIT_KEY must be the name of a transit key: letters, digits, ".", "_" and "-".');
  if (!/^[\w.-]+(\/[\w.-]+)*$/.test(mount)) throw new Error('VAULT_TRANSIT_MOUNT must be the path of a transit engine, such as transit.');
  const idPrefix = `vault:${mount}/${key}:v`;
  const headers = { 'content-type': 'application/json', 'x-vault-token': token, 'x-vault-request': 'true', ...(namespace !== undefined && { 'x-vault-namespace': namespace }) };
  const ask = (verb: 'encrypt' | 'decrypt', body: object) =>
    askKeyServer(provider, { url: `${base}/v1/${mount}/${verb}/${key}`, headers, body: JSON.stringify(body), answerMsMax });

  async function wrap(dataKey: Buffer, tenantId: string) {
    const context = contextOf(tenantId);
    const plaintext = Buffer.concat([dataKey, tagOf(tenantId)]).toString('base64');
    const { status, body } = await ask('encrypt', { plaintext, context, associated_data: context });
    const ciphertext = textAt(body, 'data', 'ciphertext');
    const version = /^vault:v(\d+):/.exec(ciphertext ?? '')?.[1];
    if (status !== 200 || ciphertext === undefined || version === undefined) throw providerUnavailable(provider, reasonOf(status), { status });
    return { keyId: `${idPrefix}${version}`, wrapped: Buffer.from(ciphertext, 'utf8') };
  }

  return {
    // Encrypting something tells the version without the right to read the key's properties.
    currentKeyId: async () => (await wrap(randomBytes(keyLength), '')).keyId,
    owns: (keyId) => keyId.startsWith(idPrefix),
    wrap,
    async unwrap({ keyId, wrapped }, tenantId) {
      const ciphertext = wrapped.toString('utf8');
      if (!keyId.startsWith(idPrefix) || !ciphertext.startsWith(`vault:v${keyId.slice(idPrefix.length)}:`)) throw refusedByProvider(provider, 'unknown key-encryption key');
      const context = contextOf(tenantId);
      const { status, body } = await ask('decrypt', { ciphertext, context, associated_data: context });
      // 400: the ciphertext is changed, another tenant's, or of a version below the key's min_decryption_version.
      if (status === 400) throw refusedByProvider(provider, 'changed, moved, or of a version that Vault no longer decrypts');
      const plaintext = textAt(body, 'data', 'plaintext');
      if (status !== 200 || plaintext === undefined) throw providerUnavailable(provider, reasonOf(status), { status });
      const opened = Buffer.from(plaintext, 'base64');
      const tag = tagOf(tenantId);
      if (opened.length !== keyLength + tag.length || !timingSafeEqual(opened.subarray(keyLength), tag)) throw refusedByProvider(provider, 'moved from another tenant');
      return opened.subarray(0, keyLength);
    },
  };
}

function contextOf(tenantId: string): string {
  return associate('switchboard data key', tenantId).toString('base64');
}

function tagOf(tenantId: string): Buffer {
  return createHash('sha256').update(associate('switchboard data key', tenantId)).digest();
}

function reasonOf(status: number): string {
  if (status === 403) return 'the token is not valid, or may not use the key';
  if (status === 404) return 'no such mount or key';
  if (status === 503) return 'sealed, or not the active node';
  return 'an answer that is none of the transit engine';
}
