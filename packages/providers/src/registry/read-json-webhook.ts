import { createHash } from 'node:crypto';
import type { RawWebhook, RoutingIdentifier, WebhookPart, WebhookSplit } from '../provider.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** Deeper JSON than any provider sends cannot be written again without running out of stack. */
const depthMax = 64;

/**
 * Reads a JSON webhook and hands its object to `split`; anything else is `unreadable`. The body is read once, as UTF-8; what is not valid
 * UTF-8 is unreadable too, because its text would not be what was signed.
 */
export function readJsonWebhook(webhook: RawWebhook, split: (body: JsonObject, text: string) => WebhookSplit): WebhookSplit {
  let text: string;
  let body: unknown;
  try {
    text = utf8.decode(webhook.body);
    body = JSON.parse(text);
  } catch (error) {
    return { kind: 'unreadable', reason: error instanceof SyntaxError ? 'not JSON' : 'not UTF-8' };
  }
  if (!isJsonObject(body)) return { kind: 'unreadable', reason: 'not a JSON object' };
  if (isDeeperThan(text, depthMax)) return { kind: 'unreadable', reason: `nested deeper than ${depthMax}` };
  return split(body, text);
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Objects of an array, or nothing. */
export function arrayIn(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** An id as text; providers write some as numbers. Undefined when it is neither or empty. */
export function idIn(value: unknown): string | undefined {
  if (typeof value === 'number') return String(value);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A routing identifier, where the value can be one: printable ASCII of a sane length. Look-ups never see anything else. */
export function routingIdentifier(name: string, value: unknown): RoutingIdentifier[] {
  const id = idIn(value);
  return id !== undefined && /^[\x21-\x7e]{1,256}$/.test(id) ? [{ name, value: id }] : [];
}

/** Joins ids to a key of bounded length that every store takes: as they are, or their hash where they are long or strange. */
export function keyOf(...ids: readonly string[]): string {
  const plain = ids.join(':');
  return plain.length <= 200 && /^[\x20-\x7e]+$/.test(plain) && !ids.slice(0, -1).some((id) => id.includes(':')) ? plain : `sha256:${hashOf(ids)}`;
}

/** SHA-256 over the value whatever the order of its fields, in hex. */
export function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value, sortFields)).digest('hex');
}

function sortFields(_name: string, value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  // `__proto__` in hostile JSON stays an own field.
  return Object.fromEntries(Object.keys(value).toSorted().map((name) => [name, value[name]]));
}

/** The first of each key; the others are repetitions inside one body (fixtures of real traffic have them). */
export function withoutRepetitions(parts: readonly WebhookPart[]): WebhookPart[] {
  const seen = new Set<string>();
  return parts.filter((part) => {
    if (part.providerEventId === undefined) return true;
    const key = JSON.stringify([part.routingIdentifiers, part.providerEventId]);
    return !seen.has(key) && seen.add(key);
  });
}

/** Counts brackets outside strings; cheap beside parsing, and unlike a recursive walk it cannot run out of stack itself. */
function isDeeperThan(text: string, max: number): boolean {
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > max) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}
