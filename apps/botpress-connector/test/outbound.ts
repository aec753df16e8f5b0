import { renderedMessageId, type CallFixture, type FileFixtures, type RenderingFixture } from '@switchboard/connector-kit/testing';
import type { MessageSend } from '@switchboard/contracts';
import { signUserKey } from '../src/client-cloud.ts';

const key = 'a'.repeat(64);
export const encryptionKey = 'hub-chat-key-0001';
/** What every command is about: its ids stand in the conversation's name at Botpress. */
export const command = { connectionId: 'con_01k9aaaaaaaaaaaaaaaaaaaaaa', conversationId: 'cnv_01k9bbbbbbbbbbbbbbbbbbbbbb' } as const satisfies Partial<MessageSend>;
export const fid = `${command.connectionId}-${command.conversationId}`;

const metadata = { hubMessageId: renderedMessageId, tenantContext: {} };
const turn = (payload: object, more: object = {}) => ({ path: 'messages', body: { fid, user: {}, request: { conversationId: fid, payload, metadata } }, ...more });
const said = (text: string) => [turn({ type: 'text', text })];
const photo = { mediaKey: key, mimeType: 'image/jpeg', fileName: 'label.jpg' };
const tenantContext = { tenantId: 'acme', locale: 'de', channel: 'whatsapp', botName: 'Max', systemPrompt: 'Be kind.', knowledge: [{ question: 'Wo?', answer: 'Hier.' }], allowedActions: ['handoff'] };

/** Requests of the Chat API (contract, 2.2 and 2.5). */
export const renderings: readonly RenderingFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Where is my parcel?' }, expected: said('Where is my parcel?') },
  {
    name: 'a text with what the tenant set up for its bot',
    content: { kind: 'text', text: 'Wo ist mein Paket?' },
    command: { contact: { address: '4915112345678', name: 'Maria K.', aliases: {} }, attributes: { channel: 'whatsapp', tenantContext: JSON.stringify(tenantContext) } },
    expected: [{ path: 'messages', body: { fid, user: { name: 'Maria K.', profile: '{"locale":"de"}' }, request: { conversationId: fid, payload: { type: 'text', text: 'Wo ist mein Paket?' }, metadata: { hubMessageId: renderedMessageId, tenantContext } } } }],
  },
  { name: 'a text to a bot that knows the conversation', content: { kind: 'text', text: 'hi' }, command: { attributes: { isKnownAtBot: 'true' } }, expected: [{ path: 'messages', body: { fid, request: { conversationId: fid, payload: { type: 'text', text: 'hi' }, metadata } } }] },
  { name: 'an image with its caption', content: { kind: 'image', media: { ...photo, caption: 'parcel label' } }, expected: [turn({ type: 'bloc', items: [{ type: 'image' }, { type: 'text', text: 'parcel label' }] }, { media: photo })] },
  { name: 'a sticker', content: { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, expected: [turn({ type: 'image' }, { media: { mediaKey: key, mimeType: 'image/webp' } })] },
  { name: 'a voice message', content: { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/ogg' }, voice: true }, expected: [turn({ type: 'audio' }, { media: { mediaKey: key, mimeType: 'audio/ogg' } })] },
  { name: 'a video', content: { kind: 'video', media: { mediaKey: key, mimeType: 'video/mp4' } }, expected: [turn({ type: 'video' }, { media: { mediaKey: key, mimeType: 'video/mp4' } })] },
  { name: 'a file at a tenant\'s address', content: { kind: 'file', media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }, expected: [turn({ type: 'file', title: 'a.pdf' }, { media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } })] },
  { name: 'a file that could not be fetched', content: { kind: 'file', media: { mimeType: 'application/pdf', unavailable: 'it was too large' } }, expected: said('[file: it was too large]') },
  { name: 'a location', content: { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul', address: 'Rua Um, 10' }, expected: [turn({ type: 'location', latitude: -23.55, longitude: -46.63, address: 'Rua Um, 10', title: 'Cafe Azul' })] },
  { name: 'a contact card', content: { kind: 'contact_card', cards: [{ name: 'Li Wei', phones: [{ number: '+15005550199' }], emails: [] }] }, expected: said('Li Wei +15005550199') },
  { name: 'a choice', content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'y', title: 'Yes' }, { id: 'n', title: 'No' }] }, expected: said('Confirm?\n1. Yes\n2. No') },
  { name: 'a click, by the option\'s value', content: { kind: 'choice_reply', optionId: 'track', title: 'Track parcel' }, expected: said('track') },
  { name: 'a reaction', content: { kind: 'reaction', emoji: '👍', providerMessageId: 'm1' }, expected: said('[reacted with 👍]') },
  { name: 'a reaction taken back', content: { kind: 'reaction', emoji: '', providerMessageId: 'm1' }, expected: said('[took a reaction back]') },
  { name: 'a template', content: { kind: 'template', name: 'order_ready', language: 'en_US', components: [] }, expected: said('[template order_ready]') },
  { name: 'a form reply', content: { kind: 'form_reply', title: 'Delivery', fields: { city: 'Lima', parcels: 2 } }, expected: said('Delivery\ncity: Lima\nparcels: 2') },
  { name: 'a notice', content: { kind: 'notice', text: 'The contact has a new number.' }, expected: said('The contact has a new number.') },
  { name: 'something unreadable', content: { kind: 'unsupported', providerType: 'poll_creation', raw: {} }, expected: said('[poll_creation]') },
  { name: 'nothing of typing', content: { kind: 'typing', on: true }, expected: 'nothing' },
  { name: 'nothing of a receipt', content: { kind: 'receipt', providerMessageId: 'm1', status: 'read' }, expected: 'nothing' },
  { name: 'that the desk is done', content: { kind: 'handoff', to: 'bot', reason: 'resolved' }, expected: [{ path: 'events', body: { fid, request: { conversationId: fid, payload: { type: 'handoff_ended' } } } }] },
  { name: 'nothing of a handoff to somebody else', content: { kind: 'handoff', to: 'desk', reason: 'asked for a person' }, expected: 'nothing' },
];

const base = 'https://chat.botpress.cloud/9f0c-webhook';
const authorization = signUserKey(fid, encryptionKey);
const introduction = [
  { method: 'POST', url: `${base}/users/get-or-create`, authorization, body: {} },
  { method: 'POST', url: `${base}/conversations/get-or-create`, authorization, body: { id: fid } },
];
const messageCall = (payload: object) => ({ method: 'POST', url: `${base}/messages`, authorization, body: { conversationId: fid, payload, metadata } });

export const calls: readonly CallFixture[] = [
  { name: 'a text, after user and conversation', content: { kind: 'text', text: 'Good morning' }, expected: [...introduction, messageCall({ type: 'text', text: 'Good morning' })] },
  { name: 'an image, with an address where Botpress finds it', content: { kind: 'image', media: photo }, expected: [...introduction, messageCall({ type: 'image', imageUrl: `https://media.example.test/${key}` })] },
  {
    name: 'an image with its caption',
    content: { kind: 'image', media: { ...photo, caption: 'parcel label' } },
    expected: [...introduction, messageCall({ type: 'bloc', items: [{ type: 'image', imageUrl: `https://media.example.test/${key}` }, { type: 'text', text: 'parcel label' }] })],
  },
  { name: 'that the desk is done', content: { kind: 'handoff', to: 'bot', reason: 'resolved' }, expected: [{ method: 'POST', url: `${base}/events`, authorization, body: { conversationId: fid, payload: { type: 'handoff_ended' } } }] },
];

export const authorizationsTried = [authorization];

export const files: FileFixtures = {
  named: (url) => ({ media: { url } }),
  ownUrls: [],
  foreignUrls: ['https://files.bpcontent.cloud/1.png', 'https://chat.botpress.cloud/1', 'https://files.example.test/1'],
};
