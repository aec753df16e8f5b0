import { renderedMessageId, type CallFixture, type FileFixtures, type RenderingFixture } from '@switchboard/connector-kit/testing';

const key = 'a'.repeat(64);
const from = { id: '4915112345678', idType: 'Phone' };
const time = '2026-11-21T12:00:00.000Z';
const message = (body: object, channel: object = {}) => ({ path: 'message', body: { channel: { messageId: renderedMessageId, from, time, ...channel }, ...body } });
const attachment = (fields: object) => ({ content: [{ contentType: 'Attachment', attachment: fields }] });
const photo = { mediaKey: key, mimeType: 'image/jpeg', fileName: 'label.jpg' };
const receipt = (fields: object) => ({ path: 'receipt', body: { id: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071', channel: { to: { id: '4915112345678', idType: 'Opaque' }, time }, ...fields } });

/** Bodies of the inbound endpoints (contract, sections 2.2 and 2.4). */
export const renderings: readonly RenderingFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Where is my parcel?' }, expected: [message({ text: 'Where is my parcel?' })] },
  {
    name: 'a text with the contact\'s name and the conversation\'s attributes',
    content: { kind: 'text', text: 'hi' },
    command: { contact: { address: '4915112345678', name: 'Maria K.', aliases: {} }, attributes: { source: 'whatsapp' } },
    expected: [message({ text: 'hi' }, { from: { ...from, nickname: 'Maria K.' }, metadata: { customAttributes: { source: 'whatsapp' } } })],
  },
  {
    name: 'a text of a contact without a number',
    content: { kind: 'text', text: 'hi' },
    command: { contact: { address: 'US.1349', aliases: {} } },
    expected: [message({ text: 'hi' }, { from: { id: 'US.1349', idType: 'Opaque' } })],
  },
  {
    name: 'a text of two messages, in their order',
    content: { kind: 'text', text: `${'a'.repeat(3_999)} b` },
    expected: [message({ text: 'a'.repeat(3_999) }), message({ text: 'b' }, { messageId: `${renderedMessageId}-1`, time: '2026-11-21T12:00:00.001Z' })],
  },
  { name: 'an image with its caption', content: { kind: 'image', media: { ...photo, caption: 'parcel label' } }, expected: [{ ...message({ text: 'parcel label', ...attachment({ mediaType: 'Image', mime: 'image/jpeg', filename: 'label.jpg' }) }), media: photo }] },
  { name: 'a sticker', content: { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, expected: [{ ...message(attachment({ mediaType: 'Image', mime: 'image/webp' })), media: { mediaKey: key, mimeType: 'image/webp' } }] },
  { name: 'a voice message', content: { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus' }, voice: true }, expected: [{ ...message(attachment({ mediaType: 'Audio', mime: 'audio/ogg; codecs=opus' })), media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus' } }] },
  { name: 'a video', content: { kind: 'video', media: { mediaKey: key, mimeType: 'video/mp4' } }, expected: [{ ...message(attachment({ mediaType: 'Video', mime: 'video/mp4' })), media: { mediaKey: key, mimeType: 'video/mp4' } }] },
  { name: 'a file at a tenant\'s address', content: { kind: 'file', media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }, expected: [{ ...message(attachment({ mediaType: 'File', mime: 'application/pdf', filename: 'a.pdf' })), media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }] },
  { name: 'a file that could not be fetched', content: { kind: 'file', media: { mimeType: 'application/pdf', unavailable: 'it was too large', caption: 'my CV' } }, expected: [message({ text: '[file: it was too large]\nmy CV' })] },
  { name: 'a location', content: { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul', address: 'Rua Um, 10' }, expected: [message({ text: 'Cafe Azul\nRua Um, 10\nhttps://www.google.com/maps?q=-23.55,-46.63' })] },
  {
    name: 'a contact card',
    content: { kind: 'contact_card', cards: [{ name: 'Li Wei', organization: 'Acme', phones: [{ number: '+15005550199' }], emails: [{ address: 'li@example.test' }] }] },
    expected: [message({ text: 'Li Wei\nAcme\n+15005550199\nli@example.test' })],
  },
  { name: 'a choice', content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'y', title: 'Yes' }, { id: 'n', title: 'No' }] }, expected: [message({ text: 'Confirm?\n1. Yes\n2. No' })] },
  {
    name: 'the answer to a question of Genesys',
    content: { kind: 'choice_reply', optionId: 'track', title: 'Track parcel' },
    command: { replyToProviderMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6072' },
    expected: [{ path: 'structured/response', body: { channel: { messageId: renderedMessageId, from, time }, originatingMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6072', buttonResponse: { type: 'QuickReply', text: 'Track parcel', payload: 'track' } } }],
  },
  { name: 'an answer to a question of somebody else', content: { kind: 'choice_reply', optionId: 'track', title: 'Track parcel' }, expected: [message({ text: 'Track parcel' })] },
  { name: 'a reaction', content: { kind: 'reaction', emoji: '👍', providerMessageId: 'm1' }, expected: [message({ text: '[reacted with 👍]' })] },
  { name: 'a reaction taken back', content: { kind: 'reaction', emoji: '', providerMessageId: 'm1' }, expected: [message({ text: '[took a reaction back]' })] },
  { name: 'a template', content: { kind: 'template', name: 'order_ready', language: 'en_US', components: [] }, expected: [message({ text: '[template order_ready]' })] },
  { name: 'a form reply', content: { kind: 'form_reply', title: 'Delivery', fields: { city: 'Lima', parcels: 2 } }, expected: [message({ text: 'Delivery\ncity: Lima\nparcels: 2' })] },
  { name: 'a notice', content: { kind: 'notice', text: 'The contact has a new number.' }, expected: [message({ text: 'The contact has a new number.' })] },
  { name: 'something unreadable', content: { kind: 'unsupported', providerType: 'poll_creation', raw: {} }, expected: [message({ text: '[a message of the kind "poll_creation" that cannot be shown here]' })] },
  {
    name: 'that the conversation was handed over, with what was said',
    content: { kind: 'handoff', to: 'desk', reason: 'asked for a person', summary: 'Parcel 123 is late', transcript: [{ author: 'contact', text: 'Where is it?', at: '2026-11-21T11:59:00.000Z' }] },
    expected: [message({ text: 'Handed over: asked for a person\n\nParcel 123 is late\n\n[2026-11-21 11:59] contact: Where is it?' })],
  },
  {
    name: 'who should have a conversation that was handed over, as attributes that the tenant\'s flow can route by',
    content: { kind: 'handoff', to: 'desk', reason: 'vip', assignment: { agentId: 'agent-7', labels: ['vip', 'parcels'], attributes: { topic: 'late parcel', channel: 'not the tenant\'s to say' } } },
    command: { attributes: { channel: 'whatsapp', handoffReason: 'vip' } },
    expected: [message({ text: 'Handed over: vip' }, { metadata: { customAttributes: { handoffAgentId: 'agent-7', handoffLabels: 'vip,parcels', topic: 'late parcel', channel: 'whatsapp', handoffReason: 'vip' } } })],
  },
  {
    name: 'no more attributes than Genesys takes, and the others all the same',
    content: { kind: 'handoff', to: 'desk', reason: 'vip', assignment: { agentId: 'agent-7', attributes: { story: 'x'.repeat(2_000), topic: 'parcel' } } },
    expected: [message({ text: 'Handed over: vip' }, { metadata: { customAttributes: { handoffAgentId: 'agent-7', topic: 'parcel' } } })],
  },
  { name: 'that the contact is typing', content: { kind: 'typing', on: true }, expected: [{ path: 'event', body: { channel: { from, time }, events: [{ eventType: 'Typing' }] } }] },
  { name: 'nothing of the end of typing', content: { kind: 'typing', on: false }, expected: 'nothing' },
  { name: 'that an agent\'s message was delivered', content: { kind: 'receipt', providerMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071', status: 'delivered' }, expected: [receipt({ status: 'Delivered', isFinalReceipt: false })] },
  { name: 'that an agent\'s message was read', content: { kind: 'receipt', providerMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071', status: 'read' }, expected: [receipt({ status: 'Delivered', isFinalReceipt: true })] },
  {
    name: 'that an agent\'s message failed, and why',
    content: { kind: 'receipt', providerMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071', status: 'failed', error: { code: 'message.window_closed', message: 'More than 24 hours have passed.' } },
    expected: [receipt({ status: 'Failed', isFinalReceipt: true, reasons: [{ code: 'MessageNotAllowed', message: 'More than 24 hours have passed.' }] })],
  },
];

const inbound = 'https://api.mypurecloud.de/api/v2/conversations/messages/6d0b7a52-3c1e-4f0a-9b7d-2a9c5e8f1d34/inbound/open';
const authorization = 'Bearer token-first';

export const calls: readonly CallFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Good morning' }, expected: [{ method: 'POST', url: `${inbound}/message?prefetchConversationId=true`, authorization, body: message({ text: 'Good morning' }).body }] },
  {
    name: 'an image, with an address where Genesys finds it',
    content: { kind: 'image', media: photo },
    expected: [{ method: 'POST', url: `${inbound}/message?prefetchConversationId=true`, authorization, body: message(attachment({ mediaType: 'Image', mime: 'image/jpeg', filename: 'label.jpg', url: `https://media.example.test/${key}` })).body }],
  },
  {
    name: 'a receipt',
    content: { kind: 'receipt', providerMessageId: '0f3c9a7b52d14e6e8a1b2c3d4e5f6071', status: 'delivered' },
    expected: [{ method: 'POST', url: `${inbound}/receipt`, authorization, body: receipt({ status: 'Delivered', isFinalReceipt: false }).body }],
  },
];

export const authorizationsTried = ['Bearer token-first', 'Bearer token-second'];

export const files: FileFixtures = {
  named: (url) => ({ media: { url } }),
  ownUrls: ['https://api.mypurecloud.de/api/v2/downloads/1', 'https://api-downloads.mypurecloud.de/api/v2/downloads/1'],
  foreignUrls: [
    'https://files.example.test/1',
    'https://evilmypurecloud.de/1',
    'https://api.mypurecloud.de.example.test/1',
    'https://api.mypurecloud.de@example.test/1',
    'https://api-downloads.mypurecloud.ie/1',
    'http://api.mypurecloud.de/1',
    'http://api-downloads.mypurecloud.de/1',
  ],
};
