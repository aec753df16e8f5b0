import type { RawWebhook } from '../provider.ts';

/** Fields by name, in the order in which they came; every value of a name, empty ones too. */
export type Form = ReadonlyMap<string, readonly string[]>;

/** Twilio sends some dozens. A stranger's 256 KiB of `&a&a` hold a hundred thousand, and they are read before anybody knows whose they are. */
const fieldsMax = 1_000;

/**
 * The fields of an `application/x-www-form-urlencoded` body: `+` is a space, `%xx` are bytes of UTF-8, what is no UTF-8 becomes U+FFFD, as in Node's own
 * `querystring`, which frameworks give to Twilio's library. Nothing is trimmed. Undefined: more fields than anybody sends. The signature and what is stored are both over this, so that what was
 * verified is what is kept.
 */
export function readForm(body: Buffer): Form | undefined {
  const known = read.get(body);
  if (known !== undefined) return known.form;
  const form = parse(body);
  read.set(body, { form });
  return form;
}

export function isForm(webhook: Pick<RawWebhook, 'method' | 'headers'>): boolean {
  return webhook.method !== 'GET' && /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(webhook.headers['content-type'] ?? '');
}

/** One webhook is verified with secret after secret, then split: it is read once. Nobody writes into the body of a webhook. */
const read = new WeakMap<Buffer, { readonly form: Form | undefined }>();

function parse(body: Buffer): Form | undefined {
  const text = body.toString('utf8');
  let fields = 1;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) if (++fields > fieldsMax) return undefined;
  const form = new Map<string, string[]>();
  // A question mark at the beginning would be taken for a URL's; behind an ampersand it is part of the name.
  for (const [name, value] of new URLSearchParams(`&${text}`)) {
    const values = form.get(name);
    if (values === undefined) form.set(name, [value]);
    else values.push(value);
  }
  return form;
}
