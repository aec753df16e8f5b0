import { describe, expect, it } from '@jest/globals';
import { newId, parseEnvelope, type Envelope } from '@switchboard/contracts';
import { encodeEnvelopes, envelopeBytesMax } from './encode-envelopes.ts';

const bodyBytesMax = 4 * 1024 * 1024;

function webhookOf(body: string): Envelope {
  const payload = { webhookId: newId('whk'), connectionId: newId('con'), body, receivedAt: '2026-11-21T10:00:00.000Z' };
  return parseEnvelope({ eventId: newId('evt'), type: 'webhook.received.whatsapp', version: 1, tenantId: 'acme', occurredAt: '2026-11-21T10:00:00.000Z', orderingKey: 'k', payload });
}

describe('encodeEnvelopes', () => {
  it.each([
    ['line breaks', '\n'.repeat(bodyBytesMax)],
    ['quotation marks', '"'.repeat(bodyBytesMax)],
    ['bytes that are no UTF-8', Buffer.alloc(bodyBytesMax, 0xff).toString('utf8')],
  ])('takes the largest body that ingest takes, made of %s', (_, body) => {
    expect(Buffer.byteLength(encodeEnvelopes([webhookOf(body)]))).toBeLessThanOrEqual(envelopeBytesMax);
  });

  it('refuses an envelope beyond that, and with it those it is published with', () => {
    expect(() => encodeEnvelopes([webhookOf('small'), webhookOf('x'.repeat(envelopeBytesMax))])).toThrow(expect.objectContaining({ code: 'request.too_large' }));
  });

  it('writes the array that JSON.stringify writes', () => {
    const envelopes = [webhookOf('one'), webhookOf('two')];
    expect(encodeEnvelopes(envelopes)).toBe(JSON.stringify(envelopes));
  });
});
