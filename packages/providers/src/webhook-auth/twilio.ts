import { createHash, timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'node:querystring';
import type { RawWebhook } from '../provider.ts';
import { isForm, readForm, type Form } from './read-form.ts';

type Signed = Pick<RawWebhook, 'method' | 'url' | 'headers' | 'body'>;

/**
 * What Twilio appends to the URL before it signs: every form field's name and values without separators, names in code unit order,
 * repeated values once each and sorted, empty ones kept. Nothing for GET, and for a body whose hash stands in the URL.
 */
export function twilioParameters(webhook: Signed): string {
  if (!isForm(webhook) || bodyHashIn(webhook.url) !== undefined) return '';
  const fields = readForm(webhook.body);
  if (fields === undefined) return '';
  const known = joined.get(fields);
  if (known !== undefined) return known;
  // The default sort is by code unit, which is what the scheme asks for.
  const text = [...fields.keys()]
    .toSorted()
    .map((name) => [...new Set(fields.get(name))].toSorted().map((value) => name + value).join(''))
    .join('');
  joined.set(fields, text);
  return text;
}

/** A webhook is verified with secret after secret, and each signs the same. */
const joined = new WeakMap<Form, string>();

/**
 * Whether the signature says anything of the body: a form that can be read, no body at all, or a hash of it in the signed URL that fits. Stricter than
 * Twilio's own middleware, which takes a body of any other type for one without fields and so accepts it unsigned.
 */
export function isBodyCovered(webhook: Signed): boolean {
  const stated = bodyHashIn(webhook.url);
  if (stated === undefined) return webhook.body.length === 0 || (isForm(webhook) && readForm(webhook.body) !== undefined);
  const actual = Buffer.from(createHash('sha256').update(webhook.body).digest('hex'));
  const given = Buffer.from(stated);
  return given.length === actual.length && timingSafeEqual(given, actual);
}

/**
 * The spellings of one URL that Twilio may have signed, exactly as its own library tries them (twilio-node 6.2, `validateRequest`): without a port, with
 * the standard port where none was given, with the port that was given; then the same as `new URL` writes it, with the query as it stands or as Node's
 * `querystring` writes it (`'` for `%27`). Beyond the library: a fragment, which no request carries, is no part of it, and credentials in the
 * address may be missing in what was signed (twilio.com/docs/usage/security).
 */
export function twilioUrlVariants(url: string): string[] {
  const plain = withoutFragment(url);
  const variants = new Set<string>();
  for (const given of [plain, plain.replace(/^(https?:\/\/)[^/?#]*@/i, '$1')]) {
    variants.add(withoutPort(given)).add(withPort(given));
    const normal = URL.parse(given)?.href;
    if (normal === undefined) continue;
    for (const spelled of [withoutPort(normal), withPort(normal)]) variants.add(spelled).add(withLegacyQuery(spelled));
  }
  return [...variants];
}

/** The hash of the body that the URL's query states, where it states one. */
export function bodyHashIn(url: string): string | undefined {
  const plain = withoutFragment(url);
  const at = plain.indexOf('?');
  return at === -1 ? undefined : /[?&]bodySHA256=([^&]*)/.exec(plain.slice(at))?.[1];
}

/** What a client writes behind `#` is in no signature: nothing may be read from it. */
export function withoutFragment(url: string): string {
  const at = url.indexOf('#');
  return at === -1 ? url : url.slice(0, at);
}

/** Scheme, credentials, host, port and the rest as they were written; a colon in brackets is an IPv6 address's. */
const urlParts = /^([a-z][a-z\d+.-]*:\/\/)([^/?#]*@)?(\[[^\]/?#]*\]|[^:/?#]*)(:[^/?#]*)?(.*)$/is;

function withoutPort(url: string): string {
  return url.replace(urlParts, (_all, scheme: string, user: string | undefined, host: string, _port, rest: string) => `${scheme}${user ?? ''}${host}${rest}`);
}

function withPort(url: string): string {
  return url.replace(urlParts, (all: string, scheme: string, user: string | undefined, host: string, port: string | undefined, rest: string) =>
    port === undefined ? `${scheme}${user ?? ''}${host}:${scheme.toLowerCase() === 'https://' ? 443 : 80}${rest}` : all,
  );
}

function withLegacyQuery(url: string): string {
  const at = url.indexOf('?');
  return at === -1 || at === url.length - 1 ? url : `${url.slice(0, at)}?${stringify(parse(url.slice(at + 1)))}`;
}
