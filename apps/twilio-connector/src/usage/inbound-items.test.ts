import type { InboundEvent } from '@switchboard/connector-kit';
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parseWebhook } from '../parse-webhook.ts';
import { inboundItems } from './inbound-items.ts';

const sid = (prefix: string) => `${prefix}${'0'.repeat(31)}1`;
const connection = { role: 'channel', routingIdentifiers: { accountSid: 'AC1' }, settings: {} } as const;
const itemsOf = (kind: string, form: Readonly<Record<string, string>>) => inboundItems(parseWebhook({ body: JSON.stringify({ kind, query: {}, form }), receivedAt: '2026-11-22T10:00:00.000Z' }, connection)).map(({ kind: what, units, itemId }) => [what, units, itemId]);

describe('what a webhook shows of use', () => {
  it('is a call with the minutes that it has begun', () => {
    const call = (more: Readonly<Record<string, string>>) => itemsOf('call_status', { CallSid: sid('CA'), CallStatus: 'completed', From: '+15005550111', ...more });
    expect([call({}), call({ CallDuration: '0' }), call({ CallDuration: '60' }), call({ CallDuration: '61' }), call({ CallDuration: '-5' })].map(([item]) => item?.[1])).toEqual([1, 1, 1, 2, 1]);
  });

  it('is nothing of a recording that is absent, or of a transcript that failed', () => {
    expect(itemsOf('recording', { CallSid: sid('CA'), RecordingSid: sid('RE'), RecordingStatus: 'absent' })).toEqual([]);
    expect(itemsOf('transcription', { CallSid: sid('CA'), TranscriptionSid: sid('TR'), TranscriptionStatus: 'failed' })).toEqual([]);
  });

  it('is a message without a file all the same when it is an MMS', () => {
    expect(itemsOf('message', { MessageSid: sid('MM'), From: '+15005550111', To: '+1', Body: 'long' })).toEqual([['mms_inbound', 1, sid('MM')]]);
  });

  it('is what it is in any order of its events, each thing once, with whole units that are at least one', () => {
    const message = fc.record({ prefix: fc.constantFrom('SM', 'MM'), segments: fc.string(), from: fc.constantFrom('+15005550111', 'whatsapp:+15005550111', 'whatsapp:US.12'), files: fc.integer({ min: 0, max: 3 }) });
    fc.assert(
      fc.property(message, ({ prefix, segments, from, files }) => {
        const media = Object.fromEntries(Array.from({ length: files }, (_, index) => [`MediaUrl${index}`, 'https://api.twilio.com/x']));
        const events: InboundEvent[] = parseWebhook({ body: JSON.stringify({ kind: 'message', query: {}, form: { MessageSid: sid(prefix), From: from, To: '+1', NumSegments: segments, NumMedia: String(files), ...media } }), receivedAt: '2026-11-22T10:00:00.000Z' }, connection);
        const [item, ...more] = inboundItems([...events, ...events]);
        return more.length === 0 && item !== undefined && Number.isInteger(item.units) && item.units >= 1 && JSON.stringify(inboundItems(events)) === JSON.stringify([item]);
      }),
    );
  });
});
