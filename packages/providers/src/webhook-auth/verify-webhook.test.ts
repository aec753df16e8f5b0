import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import type { RawWebhook, WebhookAuth } from '../provider.ts';
import { botpress as botpressEntry } from '../registry/botpress.ts';
import { chatwoot as chatwootEntry } from '../registry/chatwoot.ts';
import { genesys } from '../registry/genesys.ts';
import { whatsapp } from '../registry/whatsapp.ts';
import { signWebhook, withBodyHash } from './sign-webhook.ts';
import { verifyWebhook } from './verify-webhook.ts';

const meta = whatsapp.webhook.auth;
const openMessaging = genesys.webhook.auth;
const chatwoot = chatwootEntry.webhook.auth;
const botpress = botpressEntry.webhook.auth;
const [, chatwootHeader, chatwootPath] = chatwoot.schemes;
const bpSignature = botpress.schemes[3];
const twilio = { scheme: 'twilio', header: 'x-twilio-signature' } as const satisfies WebhookAuth;

const post = (body: string, headers: RawWebhook['headers'], url = 'https://hub.example.test/webhooks'): RawWebhook => ({ method: 'POST', url, headers, body: Buffer.from(body) });

// whatsapp.md section 3: V1 is 464 bytes, backslashes are literal.
const v1 = String.raw`{"object":"whatsapp_business_account","entry":[{"id":"900100200300400","changes":[{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15005550100","phone_number_id":"700100200300401"},"contacts":[{"profile":{"name":"Zo\u00eb \ud83d\udc4b"},"wa_id":"15005550123"}],"messages":[{"from":"15005550123","id":"wamid.TEST0001","timestamp":"1790000000","type":"text","text":{"body":"caf\u00e9 https:\/\/example.test\/a"}}]},"field":"messages"}]}]}`;
const v1Signature = 'sha256=e2b2c95cbc23e6025e1c9fdb46d8394d4457967a3b45273f89f56bc33ad90fe2';
const v2Signature = 'sha256=ed8503175aaf07e9bd88079c01c193a032ee3dadb01d7d1b854c017c7dfc847e';
const v3Signature = 'sha256=a512a0b69b6eadb91762390870d7c79d2e9798528ba8b6b69a71dbb190f2f095';

describe('Meta\'s signature', () => {
  const verify = (body: string, signature: string | undefined, ...secrets: string[]) => verifyWebhook(meta, post(body, { 'x-hub-signature-256': signature }), secrets);

  it('is the HMAC of the body under the app secret (V0)', () => {
    expect(verify('Hello, World!', 'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17', "It's a Secret to Everybody")).toBe(true);
  });

  it('is over the bytes as sent, escapes and all (V1)', () => {
    expect(Buffer.byteLength(v1)).toBe(464);
    expect(verify(v1, v1Signature, 'app-secret-tenant-a')).toBe(true);
  });

  it('does not fit a body that was parsed and written again (V2)', () => {
    const rewritten = JSON.stringify(JSON.parse(v1));
    expect(verify(rewritten, v1Signature, 'app-secret-tenant-a')).toBe(false);
    expect(verify(rewritten, v2Signature, 'app-secret-tenant-a')).toBe(true);
  });

  it('does not fit another tenant\'s secret (V3)', () => {
    expect(verify(v1, v3Signature, 'app-secret-tenant-a')).toBe(false);
    expect(verify(v1, v3Signature, 'app-secret-tenant-b')).toBe(true);
  });

  it('fits the current or the previous secret', () => {
    expect(verify(v1, v1Signature, 'app-secret-new', 'app-secret-tenant-a')).toBe(true);
  });

  it.each([
    ['absent', undefined], ['empty', ''], ['without prefix', v1Signature.slice(7)], ['cut short', v1Signature.slice(0, -1)], ['too long', `${v1Signature}0`],
    ['not hex', `sha256=${'z'.repeat(64)}`], ['multi-byte', `sha256=${'é'.repeat(64)}`], ['as base64', `sha256=${Buffer.from(v1Signature.slice(7), 'hex').toString('base64')}`],
    ['in upper case', `sha256=${v1Signature.slice(7).toUpperCase()}`],
  ])('is refused without throwing when %s', (_case, signature) => expect(verify(v1, signature, 'app-secret-tenant-a')).toBe(false));

  it('is refused when there is no secret, or an empty one that anybody could have signed with', () => {
    expect(verify(v1, v1Signature)).toBe(false);
    const forged = signWebhook(meta, { url: '', body: Buffer.from(v1) }, '')['x-hub-signature-256'];
    expect(verify(v1, forged, '')).toBe(false);
  });
});

describe('Genesys\' signature', () => {
  const agentText = '{"id":"0f3c9a7b52d14e6e8a1b2c3d4e5f6071","channel":{"id":"6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34","platform":"Open","type":"Private","to":{"id":"4915112345678","idType":"Opaque"},"from":{"nickname":"Hub WhatsApp","id":"6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34","idType":"Opaque"},"time":"2026-03-02T09:15:42.118Z","messageId":"0f3c9a7b52d14e6e8a1b2c3d4e5f6071"},"type":"Text","text":"Grüße, how can I help?","originatingEntity":"Human","direction":"Outbound","conversationId":"b2f7d3a0-5a6e-4c1d-8e9f-0a1b2c3d4e5f"}';

  it.each([
    ['agent text', agentText, 'sha256=MIvWS4DmD1DagcC2OdkW8DwvZet2qr7b7seDRGLMrsg='],
    ['small', '{"id":"m-1","text":"hi"}', 'sha256=00Rv7r5ZDfYNQvj4r70pRso/7hysGIFysFre2eQV17M='],
  ])('is base64 (%s)', (_case, body, signature) => {
    expect(verifyWebhook(openMessaging, post(body, { 'x-hub-signature-256': signature }), ['hub-test-secret-0001'])).toBe(true);
  });

  it('is not the hex that some public clients expect', () => {
    const hex = `sha256=${Buffer.from('00Rv7r5ZDfYNQvj4r70pRso/7hysGIFysFre2eQV17M=', 'base64').toString('hex')}`;
    expect(verifyWebhook(openMessaging, post('{"id":"m-1","text":"hi"}', { 'x-hub-signature-256': hex }), ['hub-test-secret-0001'])).toBe(false);
  });
});

describe('Chatwoot\'s signature', () => {
  const headers = { 'x-chatwoot-timestamp': '1783077605', 'x-chatwoot-signature': 'sha256=4e3a4339815182fffa2615f3c0ef34b803fad6b0b5531e51ee609f4e7972c0a9' };
  const verifyAt = (nowSeconds: number, given: RawWebhook['headers'] = headers) =>
    verifyWebhook(chatwoot, post('{"event":"message_created","id":918273}', given), ['kQ7yUo2mN4bV8xZ1cR5tW9pL'], nowSeconds);

  it('is over time stamp and body', () => expect(verifyAt(1783077605)).toBe(true));

  it('is refused outside five minutes either way', () => {
    expect(verifyAt(1783077605 + 300)).toBe(true);
    expect(verifyAt(1783077605 + 301)).toBe(false);
    expect(verifyAt(1783077605 - 301)).toBe(false);
  });

  it('fits no other body, no other secret, and no time stamp but the one that was signed', () => {
    const verify = (body: string, secret: string, given: RawWebhook['headers']) => verifyWebhook(chatwoot, post(body, given), [secret], 1783077605);
    expect(verify('{"event":"message_created","id":918274}', 'kQ7yUo2mN4bV8xZ1cR5tW9pL', headers)).toBe(false);
    expect(verify('{"event":"message_created","id":918273}', 'kQ7yUo2mN4bV8xZ1cR5tW9pM', headers)).toBe(false);
    expect(verify('{"event":"message_created","id":918273}', 'kQ7yUo2mN4bV8xZ1cR5tW9pL', { ...headers, 'x-chatwoot-timestamp': '1783077606' })).toBe(false);
    // A digit may not move from the body to the time stamp, nor the other way.
    expect(verify('5.{"event":"message_created","id":918273}', 'kQ7yUo2mN4bV8xZ1cR5tW9pL', { ...headers, 'x-chatwoot-timestamp': '178307760' })).toBe(false);
  });

  it('may be left out where the secret itself is in a header or at the end of the URL, as with servers that do not sign', () => {
    const secret = 'kQ7yUo2mN4bV8xZ1cR5tW9pL';
    const verify = (webhook: Partial<RawWebhook>) => verifyWebhook(chatwoot, { ...post('{}', {}), ...webhook }, [secret]);
    expect(verify({ headers: { 'x-webhook-token': secret } })).toBe(true);
    expect(verify({ pathToken: secret })).toBe(true);
    // A stale signature beside it proves nothing, and takes nothing away.
    expect(verify({ headers, pathToken: secret })).toBe(true);
    for (const wrong of ['', secret.slice(1), `${secret} `, `${secret}\0`, secret.toUpperCase()]) {
      expect([verify({ pathToken: wrong }), verify({ headers: { 'x-webhook-token': wrong } })]).toEqual([false, false]);
    }
    expect(verify({})).toBe(false);
  });

  it.each(['', 'now', '1783077605.0', '-1783077605', undefined, '1'.repeat(20)])('is refused with %j as time stamp', (timestamp) => {
    expect(verifyAt(1783077605, { ...headers, 'x-chatwoot-timestamp': timestamp })).toBe(false);
  });
});

describe('a shared token', () => {
  it.each(['x-secret-key', 'x-webhook-token', 'x-bp-secret'])('must be the whole secret (%s)', (header) => {
    const verify = (token: string | undefined) => verifyWebhook(botpress, post('{}', { [header]: token }), ['long-random-secret']);
    expect(verify('long-random-secret')).toBe(true);
    expect([undefined, '', 'long-random-secre', 'long-random-secret ', 'long-random-secreT'].map(verify)).toEqual([false, false, false, false, false]);
  });

  it('is no secret that is not there', () => {
    for (const secrets of [[], ['']]) expect(verifyWebhook(botpress, post('{}', { 'x-secret-key': '', 'x-bp-signature': signWebhook(bpSignature, { url: '', body: Buffer.from('{}') }, '')['x-bp-signature'] }), secrets)).toBe(false);
  });
});

describe('Botpress\' signature', () => {
  const bare = (signWebhook(bpSignature, { url: '', body: Buffer.from('{"a":1}') }, 'long-random-secret')['x-bp-signature'] ?? '').slice('sha256='.length);
  const verify = (signature: string, body = '{"a":1}') => verifyWebhook(botpress, post(body, { 'x-bp-signature': signature }), ['long-random-secret']);

  it('comes with or without its prefix', () => {
    expect(bare).toMatch(/^[0-9a-f]{64}$/);
    expect([verify(bare), verify(`sha256=${bare}`)]).toEqual([true, true]);
    expect([verify(`sha256=sha256=${bare}`), verify(`sha1=${bare}`), verify('sha256='), verify(''), verify(bare.slice(1)), verify(bare, '{"a":2}')]).toEqual([false, false, false, false, false, false]);
  });

  it('is not the secret, nor the secret a signature', () => {
    expect(verify('long-random-secret')).toBe(false);
    expect(verifyWebhook(botpress, post('{"a":1}', { 'x-secret-key': bare }), ['long-random-secret'])).toBe(false);
  });
});

describe('Twilio\'s signature', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' };
  const p9 = (from = '+14158675309') => new URLSearchParams({ CallSid: 'CA1234567890ABCDE', Caller: from, Digits: '1234', From: from, To: '+18005551212' }).toString();
  const u = 'https://mycompany.com/myapp.php?foo=1&bar=2';
  const verify = (url: string, body: string, signature: string, headers: RawWebhook['headers'] = form, secret = '12345') =>
    verifyWebhook(twilio, post(body, { ...headers, 'x-twilio-signature': signature }, url), [secret]);

  it.each([
    ['1: form', u, p9(), 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
    ['2: docs', 'https://example.com/myapp.php?foo=1&bar=2', p9('+14158675310'), 'L/OH5YylLD5NRKLltdqwSvS0BnU='],
    ['3: older docs', u, p9('+12349013030'), '0/KCTR6DLpKmkAf8muzZqo1nDgQ='],
    ['4: :443', u.replace('.com', '.com:443'), p9(), 'kvajT1Ptam85bY51eRf/AJRuM3w='],
    ['5: :80', u.replace('https://mycompany.com', 'http://mycompany.com:80'), p9(), '0ZXoZLH/DfblKGATFgpif+LLRf4='],
    ['6: :1234', u.replace('https://mycompany.com', 'http://mycompany.com:1234'), p9(), 'Zmvh+3yNM1Phv2jhDCwEM3q5ebU='],
    ['7: escaped quote', `${u}&Body=It%27s+amazing`, p9(), 'TfZzewPq8wqrGlMfyAud8+/IvJ0='],
    ['7: bare quote', `${u}&Body=It's+amazing`, p9(), 'TfZzewPq8wqrGlMfyAud8+/IvJ0='],
    ['9: repeated values', u, `${new URLSearchParams({ Sid: 'CA123', SidAccount: 'AC123' })}&Digits=5678&Digits=1234&Digits=1234`, 'IK+Dwps556ElfBT0I3Rgjkr1wJU='],
    ['13: credentials', 'https://user:pass@mycompany.com/myapp.php?foo=1&bar=2', p9(), 'CukzLTc1tT5dXEDIHm/tKBanW10='],
    ['1 with a port that was not signed', u.replace('.com', '.com:443'), p9(), 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
    ['1 with a fragment', `${u}#rc=2`, p9(), 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
    ['1 with credentials that were not signed', u.replace('https://', 'https://user:pass@'), p9(), 'RSOYDt4T1cUTdK1PDd93/VVr8B8='],
  ])('fits (%s)', (_case, url, body, signature) => expect(verify(url, body, signature)).toBe(true));

  const json = { 'content-type': 'application/json' };
  it.each([
    ['10', `${u}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620`, '{"property": "value", "boolean": true}', 'a9nBmqA0ju/hNViExpshrM61xv4='],
    ['11', 'https://mycompany.com/myapp.php?bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620', '{"property": "value", "boolean": true}', 'y77kIzt2vzLz71DgmJGsen2scGs='],
  ])('covers JSON by the hash in the URL (%s), and no other JSON', (_case, url, body, signature) => {
    expect(verify(url, body, signature, json)).toBe(true);
    expect(verify(url, `${body} `, signature, json)).toBe(false);
  });

  const token = '00112233445566778899aabbccddeeff';
  const account = 'https://hub.example.test/webhooks/twilio/messages?account=AC000000000000000000000000000000a1';
  const body = 'AccountSid=AC000000000000000000000000000000a1&ApiVersion=2010-04-01&Body=Ol%C3%A1+%F0%9F%91%8B+it%27s+100%25+%2B+ok&From=whatsapp%3A%2B5511912345678&MessageSid=SM000000000000000000000000000000b1&NumMedia=0&NumSegments=1&ProfileName=&SmsMessageSid=SM000000000000000000000000000000b1&SmsSid=SM000000000000000000000000000000b1&SmsStatus=received&To=whatsapp%3A%2B15005550006&WaId=5511912345678';

  it('keeps empty fields, emoji and plus signs', () => {
    expect(verify(account, body, 'FkzdhSsElemJ5KIqKjfFixbeG7E=', form, token)).toBe(true);
    expect(verify(account.replace('.test', '.test:443'), body, 'l4NSCWW0Sbmj70EXsMMvXCm5U+0=', form, token)).toBe(true);
    expect(verify(account, body, 'l4NSCWW0Sbmj70EXsMMvXCm5U+0=', form, token)).toBe(true);
    expect(verify(account, body, 'O3Z0XrRDS6UoFuHfnj65w+R7JE0=', form, token)).toBe(false);
  });

  it('is over the URL alone for GET', () => {
    const url = 'https://hub.example.test/webhooks/twilio/voice?account=AC000000000000000000000000000000a1&CallSid=CA000000000000000000000000000000c1&From=%2B15005550111';
    const webhook = { method: 'GET', url, headers: { 'x-twilio-signature': '9MKPB4ApLk4hm/e1hvv7MugPKMM=' }, body: Buffer.alloc(0) };
    expect(verifyWebhook(twilio, webhook, [token])).toBe(true);
    expect(verifyWebhook(twilio, { ...webhook, url: `${url}1` }, [token])).toBe(false);
  });

  it('covers JSON with an accent', () => {
    const url = 'https://hub.example.test/webhooks/twilio/events?account=AC000000000000000000000000000000a1&bodySHA256=e7c0ecefe877109b4e88b0aff696e4dcd76cb5192a9f67a672e44a3897f1dc2a';
    expect(verify(url, '{"MessageSid":"SM1","x":"é"}', 'elQ6Nny4yIsjv4yVCGDPKmv7WxM=', json, token)).toBe(true);
  });

  it('is refused for a body that it does not cover', () => {
    const { 'x-twilio-signature': signature = '' } = signWebhook(twilio, { url: u, body: Buffer.alloc(0) }, '12345');
    expect(verify(u, '{"MessageSid":"SM1"}', signature, json)).toBe(false);
    expect(verify(u, 'Body=forged', signature, {})).toBe(false);
  });
});

describe('every scheme', () => {
  const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const secret = fc.string({ minLength: 1, maxLength: 60 });
  const schemes: [string, WebhookAuth][] = [['meta', meta], ['genesys', openMessaging], ['chatwoot', chatwoot], ['twilio', twilio], ['botpress signature', bpSignature], ['botpress', botpress], ['chatwoot header', chatwootHeader], ['chatwoot path', chatwootPath]];
  const url = (auth: WebhookAuth, bytes: Buffer) => (auth === twilio ? withBodyHash('https://hub.example.test/w', bytes) : 'https://hub.example.test/w');

  it.each(schemes)('verifies what it signed and nothing with another secret (%s)', (_name, auth) => {
    fc.assert(
      fc.property(body, secret, secret, (bytes, right, other) => {
        const webhook: RawWebhook = { method: 'POST', url: url(auth, bytes), body: bytes, headers: signWebhook(auth, { url: url(auth, bytes), body: bytes }, right), ...(auth === chatwootPath ? { pathToken: right } : {}) };
        expect(verifyWebhook(auth, webhook, [right])).toBe(true);
        // HMAC pads its key with zeros, so that a trailing NUL makes no other key; no provider's secret has one.
        fc.pre(!right.includes('\0') && !other.includes('\0'));
        expect(verifyWebhook(auth, webhook, [other])).toBe(right === other);
      }),
    );
  });

  it.each(schemes.slice(0, 5))('breaks with one flipped byte of the body (%s)', (_name, auth) => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), secret, fc.nat(), fc.integer({ min: 1, max: 255 }), (bytes, right, at, flip) => {
        const original = Buffer.from(bytes);
        const headers = signWebhook(auth, { url: url(auth, original), body: original }, right);
        const changed = Buffer.from(bytes);
        changed[at % changed.length]! ^= flip;
        expect(verifyWebhook(auth, { method: 'POST', url: url(auth, original), body: changed, headers }, [right])).toBe(false);
      }),
    );
  });

  it.each(schemes)('never throws, whatever comes in (%s)', (_name, auth) => {
    const headers = fc.dictionary(fc.constantFrom('x-hub-signature-256', 'x-chatwoot-signature', 'x-chatwoot-timestamp', 'x-twilio-signature', 'x-secret-key', 'x-webhook-token', 'x-bp-secret', 'x-bp-signature', 'content-type'), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(fc.record({ method: fc.string(), url: fc.oneof(fc.string(), fc.webUrl()), headers, body, pathToken: fc.string({ unit: 'binary' }) }), (webhook) => {
        expect(verifyWebhook(auth, webhook, ['a secret nobody knows'])).toBe(false);
      }),
    );
  });
});
