import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { parse } from 'node:querystring';
import webhooks from 'twilio/lib/webhooks/webhooks.js';
import type { RawWebhook } from '../provider.ts';
import { twilio } from '../registry/twilio.ts';
import { readForm } from './read-form.ts';
import { signWebhook, withBodyHash } from './sign-webhook.ts';
import { verifyWebhook } from './verify-webhook.ts';

const { auth } = twilio.webhook;
const form = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
const json = { 'content-type': 'application/json' };
const u = 'https://mycompany.com/myapp.php?foo=1&bar=2';

type Given = { readonly url: string; readonly body: string | Buffer; readonly headers?: RawWebhook['headers']; readonly method?: string };
const raw = ({ url, body, headers = form, method = 'POST' }: Given, signature: string | undefined): RawWebhook => ({ method, url, body: Buffer.from(body), headers: { ...headers, 'x-twilio-signature': signature } });
const verify = (given: Given, signature: string | undefined, ...secrets: string[]) => verifyWebhook(auth, raw(given, signature), secrets);
const signed = ({ url, body, headers = form }: Given, secret: string) => signWebhook(auth, { url, body: Buffer.from(body), headers }, secret)['x-twilio-signature'] ?? '';
/** What a framework makes of a form for the library: texts, and lists where a name is repeated (of this realm: the library asks `instanceof Array`). */
const parameters = (body: string): Record<string, unknown> => Object.fromEntries(Object.entries(parse(body, '&', '=', { maxKeys: 0 })).map(([name, value]) => [name, typeof value === 'object' ? Array.from(value) : value]));

// Vectors 1 to 7, 9 to 11 and 13 of the contract stand in verify-webhook.test.ts with those of the other schemes.
describe('vectors of Twilio\'s own libraries', () => {
  it('8: a list has each of its values once, whatever their order', () => {
    for (const order of [['+1325xxxxxxx', '+1415xxxxxxx'], ['+1415xxxxxxx', '+1325xxxxxxx'], ['+1415xxxxxxx', '+1325xxxxxxx', '+1415xxxxxxx']]) {
      const body = new URLSearchParams(order.map((value): [string, string] => ['MessagingBinding.Address', value])).toString();
      expect(verify({ url: u, body }, '83O6e2vORAoJHUNzJjDWN1jz+BA=', '12345')).toBe(true);
    }
  });

  it('12: the hash of an empty object, signed with the port', () => {
    const url = `${u}&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a`;
    for (const received of [url, url.replace('.com', '.com:443')]) expect(verify({ url: received, body: '{}', headers: json }, 'Ldidvp12m26NI7eqEvxnEpkd9Hc=', '12345')).toBe(true);
    expect(verify({ url, body: '{ }', headers: json }, 'Ldidvp12m26NI7eqEvxnEpkd9Hc=', '12345')).toBe(false);
  });

  it('of our own: JSON in UTF-8', () => {
    const url = 'https://hub.example.test/webhooks/twilio/events?account=AC000000000000000000000000000000a1&bodySHA256=e7c0ecefe877109b4e88b0aff696e4dcd76cb5192a9f67a672e44a3897f1dc2a';
    const given = { url, body: '{"MessageSid":"SM1","x":"é"}', headers: json };
    expect(verify(given, 'elQ6Nny4yIsjv4yVCGDPKmv7WxM=', '00112233445566778899aabbccddeeff')).toBe(true);
    expect(verify({ ...given, body: Buffer.from(given.body, 'latin1') }, 'elQ6Nny4yIsjv4yVCGDPKmv7WxM=', '00112233445566778899aabbccddeeff')).toBe(false);
  });
});

describe('a form', () => {
  const token = fc.constantFrom('a', 'b', 'A', '=', '&', '+', '%', '%2', '%41', '%2B', '%26', '%3D', '%C3', '%A9', '%28', '%F0%9F%91%8B', '%00', '%EF%BB%BF', ' ', '?', '\'', '__proto__', '\0', '~');

  it('is decoded as Node\'s querystring does it, whatever its ASCII says', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join('')), (body) => {
        const theirs = Object.entries(parse(body, '&', '=', { maxKeys: 0 })).map(([name, value]) => [name, [value].flat()]);
        expect([...(readForm(Buffer.from(body)) ?? [])]).toEqual(theirs);
      }),
      { numRuns: 2_000 },
    );
  });

  it('keeps bytes that are no text as what stands for them', () => {
    expect([...(readForm(Buffer.from([0x61, 0x3d, 0xff, 0x26, 0x62, 0x3d, 0x25, 0x46, 0x46])) ?? [])]).toEqual([['a', ['\u{FFFD}']], ['b', ['\u{FFFD}']]]);
  });
});

describe('Twilio\'s own library', () => {
  const secret = fc.string({ minLength: 1, maxLength: 40 });
  const rarely = <T>(one: fc.Arbitrary<T>) => fc.oneof({ weight: 3, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: one });
  const host = fc.constantFrom('hub.example.test', 'Hub.Example.Test', '127.0.0.1', '[::1]');
  const query = fc.array(fc.constantFrom('a=1', 'b', 'c=', '=d', 'account=AC1', "it's", 'it%27s', 'x=a+b', 'x=a%20b', 'x=%c3%a9', 'x=é', 'y=%', '(!*)', 'x=1&x=2', ' ', '"', '\\', '?'), { maxLength: 4 });
  const url = fc
    .tuple(fc.constantFrom('https', 'http', 'HTTPS'), host, fc.constantFrom('', ':443', ':80', ':8443'), fc.constantFrom('', '/', '/webhooks/twilio/con_1/status', '/a/../b', "/it's", '/é', '/a%20b/'), fc.option(query))
    .map(([scheme, name, port, path, parts]) => `${scheme}://${name}${port}${path}${parts === null ? '' : `?${parts.join('&')}`}`);
  /** What a proxy, a framework or Twilio itself does to an address. */
  const change = fc.constantFrom<(given: string) => string>(
    (given) => given,
    (given) => given,
    (given) => given.replace(/^(\w+:\/\/(?:\[[^\]]*\]|[^:/?]*))(:\d+)?/, '$1'),
    (given) => given.replace(/^(https:\/\/(?:\[[^\]]*\]|[^:/?]*))(:\d+)?/i, '$1:443'),
    (given) => given.replace(/^(http:\/\/(?:\[[^\]]*\]|[^:/?]*))(:\d+)?/i, '$1:80'),
    (given) => given.replaceAll("'", '%27'),
    (given) => given.replaceAll('%27', "'"),
    (given) => given.toLowerCase(),
    (given) => given.replace(/^http:/, 'https:'),
    (given) => URL.parse(given)?.href ?? given,
    (given) => `${given}/`,
    (given) => given.replace(/\?.*$/s, ''),
    (given) => given.replaceAll('+', '%20'),
    (given) => given.replace('hub.', 'evil.'),
  );
  const field = fc.oneof(fc.string(), fc.string({ unit: 'grapheme' }), fc.constantFrom('', ' ', "'", '+', '&=%', '👋', 'Body', 'From'));
  const pairs = fc.array(fc.tuple(field, field), { maxLength: 8 });
  const formBody = pairs.map((fields) => new URLSearchParams(fields).toString());

  it('signs what we sign', () => {
    fc.assert(fc.property(url, formBody, secret, (given, body, token) => expect(signed({ url: given, body }, token)).toBe(webhooks.getExpectedTwilioSignature(token, given, parameters(body)))));
  });

  it('accepts and refuses the forms that we accept and refuse', () => {
    let [accepted, refused] = [0, 0];
    fc.assert(
      fc.property(url, change, formBody, rarely(formBody), secret, rarely(secret), (given, changed, body, otherBody, token, otherToken) => {
        const signature = signed({ url: changed(given), body }, token);
        const [received, key] = [otherBody ?? body, otherToken ?? token];
        const theirs = webhooks.validateRequest(key, signature, given, parameters(received));
        expect(verify({ url: given, body: received }, signature, key)).toBe(theirs);
        if (theirs) accepted++;
        else refused++;
      }),
      { numRuns: 3_000 },
    );
    // Neither side said the same to everything.
    expect([accepted > 300, refused > 300]).toEqual([true, true]);
  });

  it('accepts and refuses the JSON that we accept and refuse', () => {
    let [accepted, refused] = [0, 0];
    const text = fc.oneof(fc.json(), fc.string({ unit: 'grapheme' })).filter((one) => one.isWellFormed());
    const hash = fc.constantFrom<(given: string) => string>((given) => given, (given) => given, (given) => given, (given) => given, (given) => given.toUpperCase(), (given) => `${given}0`, (given) => given.slice(1), () => '');
    fc.assert(
      fc.property(url, change, text, rarely(text), hash, secret, (given, changed, body, otherBody, hashed, token) => {
        const stated = withBodyHash(given, Buffer.from(body)).replace(/[\da-f]{64}$/, hashed);
        const signature = signed({ url: changed(stated), body, headers: json }, token);
        const received = otherBody ?? body;
        const theirs = webhooks.validateRequestWithBody(token, signature, stated, received);
        expect(verify({ url: stated, body: received, headers: json }, signature, token)).toBe(theirs);
        if (theirs) accepted++;
        else refused++;
      }),
      { numRuns: 2_000 },
    );
    expect([accepted > 200, refused > 200]).toEqual([true, true]);
  });

  it('takes what is no form for one without fields, which nobody has signed; we do not', () => {
    const request = { protocol: 'https', originalUrl: '/w', body: {}, headers: { host: 'hub.example.test' }, header: () => signed({ url: 'https://hub.example.test/w', body: '' }, 'token') };
    // The cast gives it the little of an Express request that it reads.
    expect(webhooks.validateExpressRequest(request as never, 'token')).toBe(true);
    for (const headers of [json, { 'content-type': 'text/plain' }, { 'content-type': 'application/x-www-form-urlencodedx' }, {}]) expect(verify({ url: 'https://hub.example.test/w', body: 'Body=forged', headers }, request.header(), 'token')).toBe(false);
    expect(verify({ url: 'https://hub.example.test/w', body: '' }, request.header(), 'token')).toBe(true);
  });

  it('reads as many fields as there are; we refuse a thousand', () => {
    const given = { url: u, body: Array.from({ length: 1_001 }, (_, index) => `f${index}=1`).join('&') };
    expect(webhooks.validateRequest('token', webhooks.getExpectedTwilioSignature('token', u, parameters(given.body)), u, parameters(given.body))).toBe(true);
    expect(verify(given, webhooks.getExpectedTwilioSignature('token', u, parameters(given.body)), 'token')).toBe(false);
  });

  it('knows nothing of what is not sent: credentials that Twilio leaves out, and a fragment', () => {
    const signature = signed({ url: u, body: 'a=1' }, 'token');
    for (const url of [u.replace('https://', 'https://user:pass@'), `${u}#rc=3&rp=all`]) {
      expect(webhooks.validateRequest('token', signature, url, { a: '1' })).toBe(false);
      expect(verify({ url, body: 'a=1' }, signature, 'token')).toBe(true);
    }
  });
});

describe('a signature of Twilio', () => {
  it('says nothing of a hash behind the URL\'s #, or in its path, with which any body would fit', () => {
    const bare = signed({ url: 'https://hub.example.test/w', body: '' }, 'token');
    const forged = 'Body=forged';
    const hash = withBodyHash('', Buffer.from(forged)).slice(1);
    for (const url of [`https://hub.example.test/w#?${hash}`, `https://hub.example.test/w#&${hash}`]) {
      for (const headers of [form, json]) expect(verify({ url, body: forged, headers }, bare, 'token')).toBe(false);
    }
    const inPath = `https://hub.example.test/w&${hash}`;
    expect(verify({ url: inPath, body: forged, headers: json }, signed({ url: inPath, body: '' }, 'token'), 'token')).toBe(false);
  });

  it('is that of one token: no header, no token or another tenant\'s is a no', () => {
    const given = { url: u, body: 'AccountSid=AC1' };
    const signature = signed(given, 'token of acme');
    expect([verify(given, signature, 'token of acme'), verify(given, signature, 'token of globex'), verify(given, undefined, 'token of acme'), verify(given, '', 'token of acme'), verify(given, signature), verify(given, signed(given, ''), '')]).toEqual([true, false, false, false, false, false]);
  });
});
