import { createHash } from 'node:crypto';
import type { RawWebhook, RoutingIdentifier, WebhookSplit } from '../provider.ts';

export type JsonObject = { readonly [name: string]: unknown };

/** Deeper JSON than any provider sends cannot be written again without running out of stack. */
const depthMax = 64;

/**
 * Values in a body, 40 for each of the 1 000 updates that Meta may put into one. Bodies are split before anybody knows who sent them, and
 * parsing costs up to 2 µs a value (objects that each have fields of their own) whatever the bytes: 4 MiB of `1,1,1` hold two million.
 */
const valuesMax = 40_000;

/**
 * Reads a JSON webhook and hands its object to `split`; anything else is `unreadable`. The body is read once, as UTF-8; what is not valid
 * UTF-8 is unreadable too, because its text would not be what was signed. What would cost too much is unreadable before it is parsed.
 */
export function readJsonWebhook(webhook: RawWebhook, split: (body: JsonObject, text: string) => WebhookSplit): WebhookSplit {
  let text: string;
  let body: unknown;
  try {
    text = utf8.decode(webhook.body);
    const excess = findExcess(text);
    if (excess !== undefined) return { kind: 'unreadable', reason: excess };
    body = JSON.parse(text);
  } catch (error) {
    return { kind: 'unreadable', reason: error instanceof SyntaxError ? 'not JSON' : 'not UTF-8' };
  }
  if (!isJsonObject(body)) return { kind: 'unreadable', reason: 'not a JSON object' };
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

/**
 * The published forms of the chatbot platform carry neither an id nor a time: what comes again at once is a repetition, what comes again after an
 * answer ("1", and "1" again at the next question) is not.
 */
export const formSameWithinSeconds = 10;

/** Joins ids to a key of bounded length that every store takes: as they are, or their hash where they are long or strange. */
export function keyOf(...ids: readonly string[]): string {
  const plain = ids.join(':');
  return plain.length <= 200 && /^[\x20-\x7e]+$/.test(plain) && !ids.slice(0, -1).some((id) => id.includes(':')) ? plain : `sha256:${hashOf(ids)}`;
}

/** Characters of JSON up to which the order of fields is evened out: sorting thousands of fields takes longer than all the rest. */
const sortedMax = 64 * 1024;

/** SHA-256 over the value, whatever the order of its fields unless it is huge, in hex. */
export function hashOf(value: unknown): string {
  const text = JSON.stringify(value);
  return createHash('sha256').update(text.length > sortedMax ? text : writeSorted(value)).digest('hex');
}

/** JSON with the fields of every object in order. The depth is bounded by `readJsonWebhook`. */
function writeSorted(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeSorted).join(',')}]`;
  if (!isJsonObject(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value).toSorted().map((name) => `${JSON.stringify(name)}:${writeSorted(value[name])}`);
  return `{${fields.join(',')}}`;
}

/** Counts brackets and commas outside strings; cheap beside parsing, and unlike a recursive walk it cannot run out of stack itself. */
function findExcess(text: string): string | undefined {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (inString) {
      if (code === 0x5c) at++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > depthMax) return `nested deeper than ${depthMax}`;
      values++;
    } else if (code === 0x7d || code === 0x5d) depth--;
    else if (code === 0x2c) values++;
    if (values > valuesMax) return `more than ${valuesMax} values`;
  }
  return undefined;
}
