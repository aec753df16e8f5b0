import { describe, expect, it } from '@jest/globals';
import { toMessage, type OldMessage } from './to-message.ts';

const at = new Date('2026-01-01T00:00:00Z');
const row: OldMessage = { key: '1', tenant: null, waId: '491', phoneNumberId: null, channelMessageId: 'wamid', deskMessageId: null, direction: 'OUTBOUND', status: 'delivered', createdAt: at, deliveredAt: null, text: null, type: null, mediaUrl: null, metadata: null, repetition: 1 };

describe('an old message', () => {
  it('without a text says so, and invents none', () => {
    expect(toMessage({ ...row, mediaUrl: 'https://media.example/1', metadata: { a: 1 } })).toMatchObject({ content: { kind: 'unsupported', providerType: 'unknown', raw: { mediaUrl: 'https://media.example/1', metadata: { a: 1 } } } });
    expect(toMessage({ ...row, text: 'Hello' })).toMatchObject({ content: { kind: 'text', text: 'Hello' } });
  });

  it.each([
    ['read', 'wamid', { status: 'read', error: null }],
    ['failed', 'wamid', { status: 'failed', error: { code: 'provider.rejected' } }],
    ['a word of its own', 'wamid', { status: 'sent' }],
    ['pending', null, { status: 'failed', error: { code: 'delivery.outcome_unknown' } }],
  ])('that is "%s" with the id %s is never left as if it waited to be sent', (status, channelMessageId, delivery) => {
    expect(toMessage({ ...row, status, channelMessageId })).toMatchObject({ inbound: false, delivery });
  });

  it('that came in and was never passed on has no delivery', () => expect(toMessage({ ...row, direction: 'inbound', status: 'pending' })).toMatchObject({ inbound: true, originMessageId: 'wamid', delivery: undefined }));

  it.each([
    ['direction', { direction: 'sideways' }],
    ['time', { createdAt: null }],
    ['conversation', { waId: null }],
  ])('without a %s is left behind, with the reason', (word, change) => expect(toMessage({ ...row, ...change })).toMatchObject({ fault: expect.stringContaining(word) }));
});
