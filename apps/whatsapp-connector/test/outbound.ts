import { renderedMessageId, type CallFixture, type FileFixtures, type RenderingFixture } from '@switchboard/connector-kit/testing';

const key = 'b'.repeat(64);
const envelope = { messaging_product: 'whatsapp', recipient_type: 'individual', to: '+15005550123' };
const message = (type: string, body: unknown, more: object = {}) => ({ body: { ...envelope, type, [type]: body, biz_opaque_callback_data: renderedMessageId, ...more } });
const plain = (body: string, more: object = {}) => message('text', { body, preview_url: false }, more);
const photo = { mediaKey: key, mimeType: 'image/jpeg', fileName: 'menu.jpg' };

/** Bodies of POST /{phone-number-id}/messages (contract, section 8; github.com/facebook/openapi business-messaging-api_v23.0.yaml). */
export const renderings: readonly RenderingFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Hello' }, expected: [plain('Hello')] },
  { name: 'a text with a link, which is previewed', content: { kind: 'text', text: 'Hello https://example.test' }, expected: [message('text', { body: 'Hello https://example.test', preview_url: true })] },
  { name: 'an answer, with the message that it quotes', content: { kind: 'text', text: 'Yes' }, command: { replyToProviderMessageId: 'wamid.T1' }, expected: [plain('Yes', { context: { message_id: 'wamid.T1' } })] },
  {
    name: 'an answer of two messages, of which the first quotes',
    content: { kind: 'text', text: `${'a'.repeat(4_095)} b` },
    command: { replyToProviderMessageId: 'wamid.T1' },
    expected: [plain('a'.repeat(4_095), { context: { message_id: 'wamid.T1' }, biz_opaque_callback_data: `${renderedMessageId}.0` }), plain('b', { biz_opaque_callback_data: `${renderedMessageId}.1` })],
  },
  {
    name: 'a text to a contact without a number',
    content: { kind: 'text', text: 'Hello' },
    command: { contact: { address: 'US.13491208655302741918', aliases: {} } },
    expected: [{ body: { messaging_product: 'whatsapp', recipient_type: 'individual', recipient: 'US.13491208655302741918', type: 'text', text: { body: 'Hello', preview_url: false }, biz_opaque_callback_data: renderedMessageId } }],
  },
  { name: 'that an address is no number', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: 'somebody', aliases: {} } }, expected: { impossible: 'message.unsupported_content' } },
  { name: 'an image with its caption', content: { kind: 'image', media: { ...photo, caption: 'menu' } }, expected: [{ ...message('image', { caption: 'menu' }), media: photo }] },
  { name: 'a voice message', content: { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus' }, voice: true }, expected: [{ ...message('audio', {}), media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus', fileName: 'audio.ogg' } }] },
  { name: 'a video', content: { kind: 'video', media: { mediaKey: key, mimeType: 'video/mp4', caption: 'clip' } }, expected: [{ ...message('video', { caption: 'clip' }), media: { mediaKey: key, mimeType: 'video/mp4', fileName: 'video.mp4' } }] },
  {
    name: 'a file at a tenant\'s address',
    content: { kind: 'file', media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf', caption: 'invoice' } },
    expected: [{ ...message('document', { filename: 'a.pdf', caption: 'invoice' }), media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }],
  },
  { name: 'an image that WhatsApp does not show as one, as a document', content: { kind: 'image', media: { mediaKey: key, mimeType: 'image/heic', fileName: 'a.heic' } }, expected: [{ ...message('document', { filename: 'a.heic' }), media: { mediaKey: key, mimeType: 'image/heic', fileName: 'a.heic' } }] },
  { name: 'a sticker', content: { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, expected: [{ ...message('sticker', {}), media: { mediaKey: key, mimeType: 'image/webp', fileName: 'sticker.webp' } }] },
  { name: 'a location', content: { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul', address: 'Rua Um, 10' }, expected: [message('location', { latitude: '-23.55', longitude: '-46.63', name: 'Cafe Azul', address: 'Rua Um, 10' })] },
  {
    name: 'a contact card',
    content: { kind: 'contact_card', cards: [{ name: 'Li Wei', organization: 'Acme', phones: [{ number: '+15005550199', type: 'WORK' }], emails: [{ address: 'li@example.test' }] }] },
    expected: [message('contacts', [{ name: { formatted_name: 'Li Wei', first_name: 'Li Wei' }, org: { company: 'Acme' }, phones: [{ phone: '+15005550199', type: 'WORK' }], emails: [{ email: 'li@example.test' }] }])],
  },
  {
    name: 'a choice of two as buttons',
    content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'btn_yes', title: 'Yes' }, { id: 'btn_no', title: 'No' }] },
    expected: [message('interactive', { type: 'button', body: { text: 'Confirm?' }, action: { buttons: [{ type: 'reply', reply: { id: 'btn_yes', title: 'Yes' } }, { type: 'reply', reply: { id: 'btn_no', title: 'No' } }] } })],
  },
  {
    name: 'a choice with descriptions as a list',
    content: { kind: 'choice', text: 'Pick one', buttonLabel: 'Shipping', options: [{ id: 'row_1', title: 'Standard' }, { id: 'row_2', title: 'Express', description: 'next day' }] },
    expected: [message('interactive', { type: 'list', body: { text: 'Pick one' }, action: { button: 'Shipping', sections: [{ rows: [{ id: 'row_1', title: 'Standard' }, { id: 'row_2', title: 'Express', description: 'next day' }] }] } })],
  },
  {
    name: 'a choice of eleven as numbered text',
    content: { kind: 'choice', text: 'Pick one', options: Array.from({ length: 11 }, (_, index) => ({ id: `o${index}`, title: `Option ${index}` })) },
    expected: [plain(`Pick one\n${Array.from({ length: 11 }, (_, index) => `${index + 1}. Option ${index}`).join('\n')}`)],
  },
  { name: 'the answer to a choice', content: { kind: 'choice_reply', optionId: 'o1', title: 'Express' }, expected: [plain('Express')] },
  { name: 'a reaction, which quotes nothing besides', content: { kind: 'reaction', emoji: '👍', providerMessageId: 'wamid.T1' }, command: { replyToProviderMessageId: 'wamid.T2' }, expected: [message('reaction', { message_id: 'wamid.T1', emoji: '👍' })] },
  { name: 'a reaction taken back', content: { kind: 'reaction', emoji: '', providerMessageId: 'wamid.T1' }, expected: [message('reaction', { message_id: 'wamid.T1', emoji: '' })] },
  {
    name: 'a template in its language, with its parameters',
    content: { kind: 'template', name: 'order_ready', language: 'pt_BR', components: [{ type: 'body', parameters: [{ type: 'text', text: 'A-17' }] }] },
    expected: [message('template', { name: 'order_ready', language: { code: 'pt_BR' }, components: [{ type: 'body', parameters: [{ type: 'text', text: 'A-17' }] }] })],
  },
  { name: 'a template without parameters', content: { kind: 'template', name: 'hello_world', language: 'en_US', components: [] }, expected: [message('template', { name: 'hello_world', language: { code: 'en_US' } })] },
  { name: 'a form reply', content: { kind: 'form_reply', title: 'Delivery', fields: { city: 'Lima', parcels: 2 } }, expected: [plain('Delivery\ncity: Lima\nparcels: 2')] },
  { name: 'a notice', content: { kind: 'notice', text: 'The office is closed.' }, expected: [plain('The office is closed.')] },
  { name: 'that something has no form', content: { kind: 'unsupported', providerType: 'card', raw: {} }, expected: { impossible: 'message.unsupported_content' } },
  {
    name: 'typing, with the read mark that it needs',
    content: { kind: 'typing', on: true },
    command: { replyToProviderMessageId: 'wamid.T1' },
    expected: [{ body: { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.T1', typing_indicator: { type: 'text' } } }],
  },
  { name: 'nothing of typing without a message to mark as read', content: { kind: 'typing', on: true }, expected: 'nothing' },
  { name: 'nothing of the end of typing', content: { kind: 'typing', on: false }, command: { replyToProviderMessageId: 'wamid.T1' }, expected: 'nothing' },
  { name: 'that a message was read', content: { kind: 'receipt', providerMessageId: 'wamid.T1', status: 'read' }, expected: [{ body: { messaging_product: 'whatsapp', status: 'read', message_id: 'wamid.T1' } }] },
  { name: 'nothing of a change of hands', content: { kind: 'handoff', to: 'desk', reason: 'asked for a person' }, expected: 'nothing' },
  { name: 'nothing of a delivery, which Meta sees itself', content: { kind: 'receipt', providerMessageId: 'wamid.T1', status: 'delivered' }, expected: 'nothing' },
];

const graph = 'https://graph.facebook.com/v25.0/700100200300401';
const authorization = 'Bearer EAAG-access-token-of-acme';

export const calls: readonly CallFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Good morning' }, expected: [{ method: 'POST', url: `${graph}/messages`, authorization, body: plain('Good morning').body }] },
  {
    name: 'an image, which is uploaded first',
    content: { kind: 'image', media: { ...photo, caption: 'menu' } },
    answers: [{ status: 200, body: { id: '5550100' } }],
    expected: [
      { method: 'POST', url: `${graph}/media`, authorization, body: { messaging_product: 'whatsapp', type: 'image/jpeg', file: { fileName: 'menu.jpg', type: 'image/jpeg', text: 'bytes of a file' } } },
      { method: 'POST', url: `${graph}/messages`, authorization, body: message('image', { id: '5550100', caption: 'menu' }).body },
    ],
  },
];

/** Meta gives one token for long: the kit loads the connection again when it is refused. */
export const authorizationsTried = [authorization];

export const files: FileFixtures = {
  named: (url) => ({ media: { id: '5550001' }, answer: { status: 200, body: { url, mime_type: 'image/jpeg', sha256: 'aa', file_size: '8', id: '5550001', messaging_product: 'whatsapp' } } }),
  ownUrls: ['https://lookaside.fbsbx.com/whatsapp_business/attachments/?mid=1', 'https://scontent.xx.fbcdn.net/v/1'],
  foreignUrls: ['https://files.example.test/1', 'https://evilgraph.facebook.com/1', 'http://lookaside.fbsbx.com/1'],
};
