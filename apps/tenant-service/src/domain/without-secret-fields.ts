type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Parts of names of fields that hold secrets, in lower case without `-` and `_`. */
const secretParts = ['secret', 'token', 'password', 'passphrase', 'credential', 'privatekey', 'apikey', 'authorization', 'cookie', 'pepper', 'hash', 'sealed', 'wrapped', 'recoverycode', 'totp', 'signingkey', 'encryptionkey'];

/** Endings that say a field is about a secret, and not the secret: `apiKeyId`, `tokenExpiresAt`, `credentialType`; a beginning that says it is an order: `rotateAuthToken`. */
const harmless = /^rotate(?=[A-Z])|(?:Id|Ids|Sid|At|Type|Count|Days|Ms|Name|Names|Fields)$|_(?:id|ids|at|type|count|days|ms|name|names|fields)$/;

/** Secrets inside of texts: our API keys, bearer tokens, JSON web tokens, passwords in URLs, PEM keys. */
const secretText = /\bsk_[A-Za-z0-9_]{16,}|\bBearer\s+[A-Za-z0-9._~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*/g;

const depthMax = 6;
const textLengthMax = 2_000;
const itemsMax = 200;
/** Characters of one value as JSON; the audit is no archive of documents. */
const jsonLengthMax = 32_768;

/**
 * What the audit keeps of a value: JSON, without the fields whose names say that they hold secrets, bytes, and what looks like a secret inside of
 * texts; long texts and lists are cut. Never throws.
 */
export function withoutSecretFields(value: Readonly<Record<string, unknown>>): Readonly<Record<string, Json>> {
  const kept = keepObject(value, 0);
  const length = JSON.stringify(kept).length;
  return length <= jsonLengthMax ? kept : { cut: `${length} characters` };
}

export function isSecretName(name: string): boolean {
  if (harmless.test(name)) return false;
  const plain = name.toLowerCase().replaceAll(/[-_\s]/g, '');
  return secretParts.some((part) => plain.includes(part));
}

function keepObject(value: object, depth: number): { readonly [name: string]: Json } {
  const kept: Record<string, Json> = {};
  for (const [name, field] of Object.entries(value).slice(0, itemsMax)) {
    if (isSecretName(name)) continue;
    const json = keep(field, depth + 1);
    // Postgres takes no zero byte in a name either.
    if (json !== undefined) kept[keepText(name)] = json;
  }
  return kept;
}

function keep(value: unknown, depth: number): Json | undefined {
  if (value === null || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'string') return keepText(value);
  if (typeof value !== 'object' || value instanceof Uint8Array) return undefined;
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (depth >= depthMax) return '…';
  if (Array.isArray(value)) return value.slice(0, itemsMax).flatMap((item: unknown) => keep(item, depth + 1) ?? []);
  return keepObject(value, depth);
}

/** Lone surrogates and zero bytes are no text to Postgres. */
function keepText(text: string): string {
  const clean = text.replaceAll('\0', '').toWellFormed().replace(secretText, '[secret]');
  return clean.length <= textLengthMax ? clean : `${clean.slice(0, textLengthMax).toWellFormed()}…`;
}
