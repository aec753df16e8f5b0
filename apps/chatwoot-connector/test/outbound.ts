import { renderedMessageId as id, type CallFixture, type RenderingFixture } from '@switchboard/connector-kit/testing';
import type { MessageContent } from '@switchboard/contracts';

const key = 'a'.repeat(64);
const contact = { address: '5511988887777', phone: '+5511988887777' };
const photo = { mediaKey: key, mimeType: 'image/jpeg', fileName: 'label.jpg' };
const handoff: MessageContent = {
  kind: 'handoff',
  to: 'desk',
  reason: 'asked for a person',
  summary: 'Parcel 123 is late',
  transcript: [{ author: 'contact', text: 'Where is {{it}}?', at: '2026-11-21T11:59:00.000Z' }],
  assignment: { agentId: '12', labels: ['billing'], attributes: { language: 'pt' } },
};
const note = 'Handed over: asked for a person\n\nParcel 123 is late\n\n[2026-11-21 11:59] contact: Where is {\u2060{it}}?';

/** Kinds that are words to whoever reads them, on either side. */
const inWords: readonly (readonly [name: string, content: MessageContent, text: string])[] = [
  ['a text', { kind: 'text', text: 'Where is my parcel?' }, 'Where is my parcel?'],
  ['a file that could not be fetched', { kind: 'file', media: { mimeType: 'application/pdf', unavailable: 'it was too large', caption: 'my CV' } }, '[file: it was too large]\nmy CV'],
  ['a location', { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul', address: 'Rua Um, 10' }, 'Cafe Azul\nRua Um, 10\nhttps://www.google.com/maps?q=-23.55,-46.63'],
  ['a contact card', { kind: 'contact_card', cards: [{ name: 'Li Wei', organization: 'Acme', phones: [{ number: '+15005550199' }], emails: [{ address: 'li@example.test' }] }] }, 'Li Wei\nAcme\n+15005550199\nli@example.test'],
  ['an answer to a choice', { kind: 'choice_reply', optionId: 'y', title: 'Yes' }, 'Yes'],
  ['a template', { kind: 'template', name: 'order_ready', language: 'en_US', components: [] }, '[template order_ready]'],
  ['a form reply', { kind: 'form_reply', title: 'Delivery', fields: { city: 'Lima', parcels: 2 } }, 'Delivery\ncity: Lima\nparcels: 2'],
  ['a notice', { kind: 'notice', text: 'The contact has a new number.' }, 'The contact has a new number.'],
  ['something unreadable', { kind: 'unsupported', providerType: 'poll_creation', raw: {} }, '[a message of the kind "poll_creation" that cannot be shown here]'],
];

const media: readonly (readonly [name: string, content: MessageContent, caption: string, file: object])[] = [
  ['an image with its caption', { kind: 'image', media: { ...photo, caption: 'parcel label' } }, 'parcel label', photo],
  ['a sticker', { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, '', { mediaKey: key, mimeType: 'image/webp', fileName: 'sticker.webp' }],
  ['a voice message', { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus' }, voice: true }, '', { mediaKey: key, mimeType: 'audio/ogg; codecs=opus', fileName: 'audio.ogg' }],
  ['a video', { kind: 'video', media: { mediaKey: key, mimeType: 'video/mp4' } }, '', { mediaKey: key, mimeType: 'video/mp4', fileName: 'video.mp4' }],
  ['a file at a tenant\'s address', { kind: 'file', media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }, '', { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' }],
];

const choice: MessageContent = { kind: 'choice', text: 'Confirm?', options: [{ id: 'y', title: 'Yes' }, { id: 'n', title: 'No' }] };
const reaction: MessageContent = { kind: 'reaction', emoji: '👍', providerMessageId: '918273:1' };
const receipt = (status: 'delivered' | 'read' | 'failed', more: object = {}): MessageContent => ({ kind: 'receipt', providerMessageId: '918273', status, ...more });

/** At a desk the contact speaks, in an API inbox. */
const atDesk = (content: string, more: { readonly attributes?: object; readonly part?: number } = {}) => {
  const hubRef = more.part === undefined ? id : `${id}.${more.part}`;
  return { path: 'message', body: { contact, asBot: false, message: { content, messageType: 'incoming', contentAttributes: { hub_ref: hubRef, ...more.attributes }, sourceId: hubRef } } };
};
const byContact = { author: 'contact' } as const;

const handoffParts = [
  { path: 'message', body: { contact, asBot: true, message: { content: note, isPrivate: true, messageType: 'outgoing', contentAttributes: { hub_ref: id } } } },
  { path: 'labels', body: { contact, labels: ['billing'] } },
  { path: 'attributes', body: { contact, attributes: { language: 'pt' } } },
  { path: 'status', body: { contact, asBot: true, status: 'open' } },
  { path: 'assignment', body: { contact, agentId: '12' } },
];

export const deskRenderings: readonly RenderingFixture[] = [
  ...inWords.map(([name, content, text]) => ({ name, content, command: byContact, expected: [atDesk(text)] })),
  ...media.map(([name, content, caption, file]): RenderingFixture => ({ name, content, command: byContact, expected: [{ ...atDesk(caption), media: file as never }] })), // the file of the fixture, as the part has it
  { name: 'a contact with a name, quoting an agent', content: { kind: 'text', text: 'hi {{x}}' }, command: { ...byContact, contact: { address: 'US.1349', name: 'Ana', aliases: {} }, replyToProviderMessageId: '918273:1' }, expected: [{ path: 'message', body: { ...atDesk('hi {{x}}', { attributes: { in_reply_to: 918_273 } }).body, contact: { address: 'US.1349', name: 'Ana' } } }] },
  { name: 'a choice', content: choice, command: byContact, expected: [atDesk('Confirm?\n1. Yes\n2. No')] },
  { name: 'a reaction', content: reaction, command: byContact, expected: [atDesk('[reacted with 👍]', { attributes: { in_reply_to: 918_273 } })] },
  { name: 'what the bot said', content: { kind: 'text', text: 'I am a bot' }, command: { author: 'bot' }, expected: [{ path: 'message', body: { contact, asBot: true, message: { content: 'I am a bot', messageType: 'outgoing', contentAttributes: { hub_ref: id } } } }] },
  { name: 'that the conversation was handed over', content: handoff, command: { author: 'system' }, expected: handoffParts },
  { name: 'that the contact is typing', content: { kind: 'typing', on: true }, command: byContact, expected: [{ path: 'contact-typing', body: { contact, on: true } }] },
  { name: 'that an agent\'s message was read', content: receipt('read'), expected: [{ path: 'receipt', body: { contact, messageId: 918_273, status: 'read' } }] },
  { name: 'that an agent\'s message failed, and why', content: receipt('failed', { error: { code: 'message.window_closed', message: 'More than 24 hours have passed.' } }), expected: [{ path: 'receipt', body: { contact, messageId: 918_273, status: 'failed', externalError: 'More than 24 hours have passed.' } }] },
  { name: 'no receipt for what is no message of Chatwoot', content: { kind: 'receipt', providerMessageId: 'wamid.1', status: 'read' }, expected: 'nothing' },
];

/** At a channel the business speaks, here in a website's inbox. */
const atChannel = (content: string, more: { readonly attributes?: object; readonly asBot?: boolean; readonly contentType?: string } = {}) => ({
  path: 'message',
  body: { contact, asBot: more.asBot ?? true, message: { content, ...(more.contentType === undefined ? {} : { contentType: more.contentType }), messageType: 'outgoing', contentAttributes: { hub_ref: id, ...more.attributes } } },
});
const byBot = { author: 'bot' } as const;

export const channelRenderings: readonly RenderingFixture[] = [
  ...inWords.map(([name, content, text]) => ({ name, content, command: byBot, expected: [atChannel(text)] })),
  ...media.map(([name, content, caption, file]): RenderingFixture => ({ name, content, command: byBot, expected: [{ ...atChannel(caption), media: file as never }] })), // the file of the fixture, as the part has it
  { name: 'an agent of another desk', content: { kind: 'text', text: 'Good morning' }, command: { author: 'agent' }, expected: [atChannel('Good morning', { asBot: false })] },
  { name: 'a text that Chatwoot would run as a template', content: { kind: 'text', text: 'Write {{name}} or {% if x %}, `{{y}}`, {{{z}}}' }, command: byBot, expected: [atChannel('Write {\u2060{name}} or {\u2060% if x %}, `{\u2060{y}}`, {\u2060{\u2060{z}}}')] },
  { name: 'a choice to click on', content: choice, command: byBot, expected: [atChannel('Confirm?', { contentType: 'input_select', attributes: { items: [{ title: 'Yes', value: 'y' }, { title: 'No', value: 'n' }] } })] },
  { name: 'a reaction taken back', content: { kind: 'reaction', emoji: '', providerMessageId: '918273' }, command: byBot, expected: [atChannel('[took a reaction back]', { attributes: { in_reply_to: 918_273 } })] },
  { name: 'that the conversation was handed over to the channel\'s own agents', content: handoff, command: { author: 'system' }, expected: handoffParts },
  { name: 'that the conversation is the bot\'s again', content: { kind: 'handoff', to: 'bot', reason: 'resolved' }, expected: [{ path: 'status', body: { contact, asBot: true, status: 'pending' } }] },
  { name: 'that nobody has the conversation any more', content: { kind: 'handoff', to: 'none', reason: 'idle' }, expected: [{ path: 'status', body: { contact, asBot: true, status: 'resolved' } }] },
  { name: 'that the bot is typing', content: { kind: 'typing', on: true }, command: byBot, expected: [{ path: 'typing', body: { contact, on: true, asBot: true } }] },
  { name: 'no receipts, which websites do not show', content: receipt('delivered'), expected: 'nothing' },
];

const messages = 'https://cw.example.com/api/v1/accounts/77/conversations/1204/messages';
const json = (content: string, more: object) => ({ content, private: false, content_type: 'text', ...more });

export const deskCalls: readonly CallFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Good morning' }, expected: [{ method: 'POST', url: messages, authorization: 'admin-token-1', body: json('Good morning', { message_type: 'outgoing', content_attributes: { hub_ref: id } }) }] },
  {
    name: 'a file, as a form',
    content: { kind: 'image', media: photo },
    expected: [{ method: 'POST', url: messages, authorization: 'admin-token-1', body: { content: '', message_type: 'outgoing', private: 'false', content_type: 'text', content_attributes: JSON.stringify({ hub_ref: id }), 'attachments[]': { fileName: 'label.jpg', type: 'image/jpeg', text: 'bytes of a file' } } }],
  },
  { name: 'that the contact is typing, by the contacts\' own API and without a token', content: { kind: 'typing', on: true }, expected: [{ method: 'POST', url: 'https://cw.example.com/public/api/v1/inboxes/inb-1/contacts/5511988887777/conversations/1204/toggle_typing', authorization: undefined, body: { typing_status: 'on' } }] },
  { name: 'a receipt', content: receipt('failed', { error: { code: 'provider.rejected', message: 'no such number' } }), expected: [{ method: 'PATCH', url: `${messages}/918273`, authorization: 'admin-token-1', body: { status: 'failed', external_error: 'no such number' } }] },
];

export const channelCalls: readonly CallFixture[] = [
  {
    name: 'a choice to click on',
    content: choice,
    expected: [{ method: 'POST', url: messages, authorization: 'admin-token-1', body: { content: 'Confirm?', message_type: 'outgoing', private: false, content_type: 'input_select', content_attributes: { hub_ref: id, items: [{ title: 'Yes', value: 'y' }, { title: 'No', value: 'n' }] } } }],
  },
  { name: 'that an agent of another desk is typing', content: { kind: 'typing', on: false }, expected: [{ method: 'POST', url: 'https://cw.example.com/api/v1/accounts/77/conversations/1204/toggle_typing_status', authorization: 'admin-token-1', body: { typing_status: 'off', is_private: false } }] },
  { name: 'to whom the conversation goes', content: { kind: 'handoff', to: 'bot', reason: 'resolved' }, expected: [{ method: 'POST', url: 'https://cw.example.com/api/v1/accounts/77/conversations/1204/toggle_status', authorization: 'bot-token-1', body: { status: 'pending' } }] },
];
