import { describe, expect, it } from '@jest/globals';
import { checkOutgoingMessage } from './check-outgoing-message.ts';

const text = { messaging_product: 'whatsapp', to: '+15005550123', type: 'text', text: { body: 'hi' } };
const buttons = (count: number, title = 'Yes') => ({
  ...text,
  type: 'interactive',
  interactive: { type: 'button', body: { text: 'Sure?' }, action: { buttons: Array.from({ length: count }, (_, index) => ({ type: 'reply', reply: { id: `b${index}`, title } })) } },
});

describe('the stand-in for Meta', () => {
  it.each([
    ['a text', text],
    ['a text to a business-scoped user id', { ...text, to: undefined, recipient: 'US.1349' }],
    ['a read mark', { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.1' }],
    ['media by id', { ...text, type: 'image', image: { id: '5550100', caption: 'menu' } }],
    ['three buttons', buttons(3)],
    ['a template', { ...text, type: 'template', template: { name: 'order_ready', language: { code: 'en_US' } } }],
  ])('takes %s', (_name, body) => expect(checkOutgoingMessage(body)).toBeUndefined());

  it.each([
    ['no product', { ...text, messaging_product: undefined }, 100],
    ['no recipient', { ...text, to: undefined }, 131008],
    ['a recipient that is no number', { ...text, to: 'Ada' }, 131009],
    ['an unknown type', { ...text, type: 'hologram' }, 131051],
    ['an empty text', { ...text, text: { body: '' } }, 100],
    ['a text of 4 097 characters', { ...text, text: { body: 'x'.repeat(4097) } }, 100],
    ['media by id and link at once', { ...text, type: 'image', image: { id: '1', link: 'https://example.test' } }, 100],
    ['a caption of 1 025 characters', { ...text, type: 'image', image: { id: '1', caption: 'x'.repeat(1025) } }, 100],
    ['four buttons', buttons(4), 100],
    ['a button title of 21 characters', buttons(1, 'x'.repeat(21)), 100],
    ['six contacts', { ...text, type: 'contacts', contacts: Array.from({ length: 6 }, () => ({ name: { formatted_name: 'A' } })) }, 100],
  ])('refuses %s', (_name, body, code) => expect(checkOutgoingMessage(body)?.code).toBe(code));
});
