import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import twilio from 'twilio';
import { Faults } from '../faults.ts';
import { SandboxState } from '../sandbox-state.ts';
import { WebhookSender } from '../webhook-sender.ts';
import { addAccount } from './account-routes.ts';
import { TwilioStore } from './twilio-store.ts';
import { TwilioWebhooks } from './twilio-webhooks.ts';

type Got = { method: string; url: string; headers: IncomingMessage['headers']; body: string };

describe('webhooks of the stand-in for Twilio, over the wire', () => {
  const token = '00112233445566778899aabbccddeeff';
  const parameters = { Body: "Olá 👋 it's 100% + ok", ProfileName: '', From: 'whatsapp:+5511912345678' };
  let server: Server;
  let base: string;
  let got: Got[];
  let statuses: number[];
  let webhooks: TwilioWebhooks;
  let sender: WebhookSender;
  let accountSid: string;

  beforeEach(async () => {
    got = [];
    statuses = [200];
    server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
        got.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
        response.writeHead((statuses.length > 1 ? statuses.shift() : statuses[0]) ?? 200, { 'content-type': 'text/xml' }).end('<Response/>');
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    // The address of a listening TCP server is an object.
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const store = new TwilioStore(new SandboxState(undefined));
    accountSid = addAccount(store, { authToken: token }, new Date()).sid;
    sender = new WebhookSender(new Faults());
    webhooks = new TwilioWebhooks(sender, store, () => new Date());
  });

  afterEach(async () => {
    await sender.close();
    server.close();
  });

  const verified = ({ headers, url, body }: Got, urlOfTwilio = base + url) => twilio.validateRequest(token, String(headers['x-twilio-signature']), urlOfTwilio, Object.fromEntries(new URLSearchParams(body)));

  it('are verified by Twilio\'s own library: query and port in, fragment and credentials out', async () => {
    const delivery = await webhooks.send(accountSid, { kind: 'message', url: `${base.replace('//', '//me:secret@')}/sms?account=AC1#rc=2&rp=all`, parameters });
    expect(delivery).toMatchObject({ attempts: [200], answer: { status: 200, contentType: 'text/xml', body: '<Response/>' }, error: null });
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({ method: 'POST', url: '/sms?account=AC1', headers: { authorization: `Basic ${Buffer.from('me:secret').toString('base64')}`, 'content-type': expect.stringContaining('application/x-www-form-urlencoded') } });
    expect(got.map((one) => verified(one))).toEqual([true]);
    expect(twilio.validateRequest('another', String(got[0]?.headers['x-twilio-signature']), `${base}/sms?account=AC1`, parameters)).toBe(false);
  });

  it('carry their parameters in a signed query by GET', async () => {
    await webhooks.send(accountSid, { kind: 'call', url: `${base}/voice?account=AC1`, method: 'GET', parameters });
    expect(got[0]).toMatchObject({ method: 'GET', body: '' });
    expect(new URL(base + (got[0]?.url ?? '')).searchParams.get('Body')).toBe(parameters.Body);
    expect(got.map((one) => verified(one))).toEqual([true]);
  });

  it.each([
    ['with nothing said', '', [500, 200], [500]],
    ['on 5xx, as often as was said', '#rc=2&rp=5xx', [500, 503, 500], [500, 503, 500]],
    ['not on 4xx when only 5xx was said', '#rc=3&rp=5xx', [404, 200], [404]],
    ['on all', '#rc=3&rp=all', [404, 500, 200], [404, 500, 200]],
    ['five times at most', '#rc=9&rp=all', [500], [500, 500, 500, 500, 500, 500]],
    ['never', '#rc=0&rp=all', [500], [500]],
  ])('are repeated at once %s', async (_when, fragment, given, attempts) => {
    statuses = [...given];
    expect((await webhooks.send(accountSid, { kind: 'status', url: `${base}/status${fragment}`, parameters })).attempts).toEqual(attempts);
    expect(new Set(got.map(({ headers }) => headers['i-twilio-idempotency-token'])).size).toBe(attempts.length);
  });

  it('are repeated where nobody listens, once by default', async () => {
    server.close();
    server.closeAllConnections();
    expect(await webhooks.send(accountSid, { kind: 'status', url: `${base}/status`, parameters })).toMatchObject({ attempts: [null, null], error: expect.stringMatching(/^11205/) });
  });
});
