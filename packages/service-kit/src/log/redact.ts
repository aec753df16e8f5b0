/** Names of fields whose values never reach a log, in lower case without `-` and `_`. */
const secretNames = new Set([
  'authorization', 'proxyauthorization', 'cookie', 'setcookie', 'xapikey', 'apikey', 'xswitchboardinternal', 'adminkey',
  'accesstoken', 'refreshtoken', 'token', 'appsecret', 'clientsecret', 'verifytoken', 'webhooksecret', 'webhooksecrets', 'authtoken', 'secret',
  'secrets', 'credentials', 'password', 'passphrase', 'pepper', 'keyencryptionkey', 'internaltokensecret', 'databaseurl', 'busdatabaseurl', 'privatekey', 'connectionstring',
]);

const depthMax = 8;
const redacted = '[redacted]';

/** Credentials inside of sentences: our API keys, bearer tokens, passwords in URLs. */
const secretText = /\bsk_[A-Za-z0-9_]{16,}|\bBearer\s+[A-Za-z0-9._~+/=-]{8,}|(?<=:\/\/[^\s/:@]*:)[^\s/@]+(?=@)/g;

/** A copy of a log record's fields without secrets, at any depth. Errors become plain objects with type, message, code, detail, stack and cause. */
export function redact(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactObject(fields, 0, new Set());
}

function redactObject(fields: object, depth: number, above: Set<object>): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) copy[name] = isSecretName(name) && value !== undefined && value !== null ? redacted : redactValue(value, depth, above);
  return copy;
}

function redactValue(value: unknown, depth: number, above: Set<object>): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (value instanceof Uint8Array) return `[${value.byteLength} bytes]`;
  if (depth >= depthMax || above.has(value)) return '[cut]';
  above.add(value);
  const copy = copyOf(value, depth + 1, above);
  above.delete(value);
  return copy;
}

function copyOf(value: object, depth: number, above: Set<object>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, depth, above));
  if (value instanceof Error) return redactError(value, depth, above);
  if (value instanceof Map || value instanceof Set) return `[${value.constructor.name} of ${value.size}]`;
  return redactObject(value, depth, above);
}

function redactError(error: Error, depth: number, above: Set<object>): object {
  const { code, detail } = error as { code?: unknown; detail?: unknown };
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code: redactValue(code, depth, above) }),
    ...(detail === undefined ? {} : { detail: redactValue(detail, depth, above) }),
    stack: redactText(error.stack ?? ''),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth, above) }),
  };
}

export function redactText(text: string): string {
  return text.replace(secretText, redacted);
}

function isSecretName(name: string): boolean {
  return secretNames.has(name.toLowerCase().replaceAll(/[-_]/g, ''));
}
