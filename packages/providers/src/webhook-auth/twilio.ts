import { createHash, timingSafeEqual } from 'node:crypto';
import type { RawWebhook } from '../provider.ts';

type Signed = Pick<RawWebhook, 'method' | 'url' | 'headers' | 'body'>;

/**
 * What Twilio appends to the URL before it signs: every form field's name and values without separators, names in code unit order,
 * repeated values once each and sorted, empty ones kept. Nothing for GET, and for a body whose hash stands in the URL.
 */
export function twilioParameters(webhook: Signed): string {
  if (!isForm(webhook) || bodyHashIn(webhook.url) !== undefined) return '';
  const fields = new Map<string, Set<string>>();
  for (const [name, value] of new URLSearchParams(webhook.body.toString('utf8'))) fields.set(name, (fields.get(name) ?? new Set()).add(value));
  // The default sort is by code unit, which is what the scheme asks for.
  return [...fields.keys()]
    .toSorted()
    .map((name) => [...(fields.get(name) ?? [])].toSorted().map((value) => name + value).join(''))
    .join('');
}

/** Whether the signature says anything of the body: a form, no body at all, or a hash of it in the signed URL that fits. */
export function isBodyCovered(webhook: Signed): boolean {
  const hash = bodyHashIn(webhook.url);
  if (hash === undefined) return webhook.body.length === 0 || isForm(webhook);
  const actual = createHash('sha256').update(webhook.body).digest();
  const stated = Buffer.from(hash, 'hex');
  return stated.length === actual.length && timingSafeEqual(stated, actual);
}

/**
 * The spellings of one URL that Twilio may have signed: with or without the standard port and the credentials, with `'` bare or escaped
 * (its own library accepts the same: twilio-node 6.2, `validateRequest`). A fragment never reaches the signature.
 */
export function twilioUrlVariants(url: string): string[] {
  const plain = url.split('#', 1)[0] ?? '';
  const variants = new Set<string>();
  for (const withUser of [plain, plain.replace(/^(https?:\/\/)[^/?#]*@/i, '$1')]) {
    for (const spelled of [withUser, withUser.replaceAll("'", '%27'), withUser.replaceAll('%27', "'")]) {
      variants.add(spelled);
      const parts = /^(https?):\/\/([^/?]*?)(:\d+)?([/?].*)?$/is.exec(spelled);
      if (parts === null) continue;
      const [, scheme = '', host = '', , rest = ''] = parts;
      variants.add(`${scheme}://${host}${rest}`);
      variants.add(`${scheme}://${host}:${scheme.toLowerCase() === 'https' ? 443 : 80}${rest}`);
    }
  }
  return [...variants];
}

function isForm(webhook: Signed): boolean {
  return webhook.method !== 'GET' && /^application\/x-www-form-urlencoded\b/i.test(webhook.headers['content-type'] ?? '');
}

function bodyHashIn(url: string): string | undefined {
  return /[?&]bodySHA256=([^&#]*)/.exec(url)?.[1];
}
