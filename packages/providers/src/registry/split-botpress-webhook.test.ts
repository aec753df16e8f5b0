import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { splitBotpressWebhook } from './split-botpress-webhook.ts';

const split = (body: string) => splitBotpressWebhook({ method: 'POST', url: '', headers: {}, body: Buffer.from(body) });

function partOf(body: object) {
  const result = split(JSON.stringify(body));
  if (result.kind !== 'parts') throw new Error(result.reason);
  const { write, ...part } = result.parts[0]!;
  return { ...part, ...write() };
}

const connectionId = 'con_01JQ8Z6W00000000000000000A';
const conversationId = `${connectionId}-cnv_01JQ8Z6W00000000000000000B`;
// botpress.md 2.3, shape of the Chat integration's signals.
const message = {
  type: 'message_created',
  data: {
    id: '40c08d7e-0000-4000-8000-000000000002', conversationId, userId: 'user_01K98XFC5S9CSHVRFX1YH1KGNB', createdAt: '2026-03-02T09:14:11.410Z',
    payload: { type: 'choice', text: 'Which parcel?', options: [{ label: '#123', value: '123' }] }, metadata: {}, isBot: true,
  },
};
const event = { type: 'event_created', data: { id: null, createdAt: '2026-03-02T09:15:00.000Z', conversationId, userId: 'user_01K', payload: { type: 'handoff', reason: 'asked_for_human' }, isBot: true } };
const published = { sessionId: conversationId, responses: [{ text: 'Order number please?' }] };

describe('a webhook of Botpress', () => {
  it('is the connection\'s whose conversation it names, in order with it, and kept byte for byte', () => {
    expect(partOf(message)).toEqual({
      routingIdentifiers: [{ name: 'session', value: connectionId }],
      relatedIdentifiers: [],
      providerEventId: expect.stringContaining('40c08d7e-0000-4000-8000-000000000002'),
      orderingKey: conversationId,
      body: JSON.stringify(message),
    });
  });

  it.each([['event', event], ['published form', published], ['form with the conversation at the top', { ...published, sessionId: undefined, conversationId }]])('is found by its conversation wherever that stands (%s)', (_name, body) => {
    expect(partOf(body)).toMatchObject({ routingIdentifiers: [{ name: 'session', value: connectionId }], orderingKey: conversationId });
  });

  it('is told apart by message and signal; events, which have no id, by when they were made and what they say', () => {
    const bodies = [message, { ...message, type: 'message_deleted' }, { ...message, type: 'message_stream_complete' }, { ...message, data: { ...message.data, id: 'other' } }, event, { ...event, data: { ...event.data, createdAt: '2026-03-02T09:15:01.000Z' } }, { ...event, data: { ...event.data, payload: { type: 'booking' } } }];
    expect(new Set(bodies.map((body) => partOf(body).providerEventId)).size).toBe(bodies.length);
    for (const body of bodies) expect(partOf({ ...body }).providerEventId).toBe(partOf(body).providerEventId);
    expect(partOf(published)).toMatchObject({ providerEventId: undefined, sameWithinSeconds: 10 });
  });

  it.each(['acme-1', '-cnv_1', 'cnv_1', '', 7, null])('is nobody\'s when its conversation is %j', (other) => {
    expect(partOf({ sessionId: other })).toMatchObject({ routingIdentifiers: [] });
  });

  it('never throws, and gives keys that every store takes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), fc.constantFrom('id', 'type', 'data', 'conversationId', 'sessionId', 'createdAt', 'payload'), (value, field) => {
        for (const body of [value, { ...message, [field]: value }, { ...published, [field]: value }, { ...event, data: { ...event.data, [field]: value } }]) {
          const result = split(JSON.stringify(body));
          for (const part of result.kind === 'parts' ? result.parts : []) {
            for (const identifier of part.routingIdentifiers) expect(identifier.value).toMatch(/^[\x21-\x7e]{1,256}$/);
            const written = part.write();
            expect(written.orderingKey).toMatch(/^[\x20-\x7e]{1,300}$/);
            expect(written.providerEventId ?? 'none').toMatch(/^[\x20-\x7e]{1,300}$/);
          }
        }
      }),
    );
  });
});
