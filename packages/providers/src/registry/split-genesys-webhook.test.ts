import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { splitGenesysWebhook } from './split-genesys-webhook.ts';

const split = (body: string) => splitGenesysWebhook({ method: 'POST', url: '', headers: {}, body: Buffer.from(body) });

function partOf(body: object) {
  const result = split(JSON.stringify(body));
  if (result.kind !== 'parts') throw new Error(result.reason);
  const { write, ...part } = result.parts[0]!;
  return { ...part, ...write() };
}

const integrationId = '6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34';
// genesys.md 3.1, shape of recorded payloads.
const agentText = {
  id: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071',
  channel: { id: integrationId, platform: 'Open', type: 'Private', to: { id: '4915112345678', idType: 'Opaque' }, from: { nickname: 'Hub WhatsApp', id: integrationId, idType: 'Opaque' }, time: '2026-03-02T09:15:42.118Z', messageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071' },
  type: 'Text', text: 'Grüße, how can I help?', originatingEntity: 'Human', direction: 'Outbound', conversationId: 'b2f7d3a0-5a6e-4c1d-8e9f-0a1b2c3d4e5f',
};
const typing = { ...agentText, text: undefined, type: 'Event', events: [{ eventType: 'Typing', typing: { type: 'On', duration: 5000 } }] };
const receipt = { ...agentText, text: undefined, type: 'Receipt', status: 'Delivered' };

describe('a webhook of Genesys', () => {
  it('is its integration\'s, in order with its contact, and kept byte for byte', () => {
    expect(partOf(agentText)).toEqual({
      routingIdentifiers: [{ name: 'integrationId', value: integrationId }],
      relatedIdentifiers: [],
      providerEventId: `message:${integrationId}:0f3c9a7b52d14e6e8a1b2c3d4e5f6071`,
      orderingKey: '4915112345678',
      body: JSON.stringify(agentText),
    });
  });

  it('is the same message when it is sent again', () => expect(partOf({ ...agentText }).providerEventId).toBe(partOf(agentText).providerEventId));

  it('does not take a receipt or a typing sign for the message whose id it carries', () => {
    const later = { ...typing, channel: { ...typing.channel, time: '2026-03-02T09:15:50.000Z' } };
    const keys = [agentText, typing, later, { ...typing, events: [{ eventType: 'Typing', typing: { type: 'Off' } }] }, receipt, { ...receipt, status: 'Failed' }].map((body) => partOf(body).providerEventId);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('is parsed leniently: the payload of 2021 had no conversation and no idType', () => {
    expect(partOf({ id: 'x', channel: { id: integrationId, to: { id: 'c' } }, content: [], reasons: [] })).toMatchObject({ orderingKey: 'c' });
  });

  it('never throws, and gives keys that every store takes', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5, stringUnit: 'binary' }), fc.constantFrom('id', 'channel', 'type', 'events', 'status'), (value, field) => {
        for (const body of [value, { ...agentText, [field]: value }, { ...typing, [field]: value }, { ...agentText, channel: { ...agentText.channel, to: value, id: value } }]) {
          const result = split(JSON.stringify(body));
          for (const part of result.kind === 'parts' ? result.parts.map(({ write }) => write()) : []) {
            expect(part.orderingKey).toMatch(/^[\x20-\x7e]{1,300}$/);
            expect(part.providerEventId ?? 'none').toMatch(/^[\x20-\x7e]{1,300}$/);
          }
        }
      }),
    );
  });
});
