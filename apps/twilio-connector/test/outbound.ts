import { expect } from '@jest/globals';
import { renderedMessageId, type CallFixture, type FileFixtures, type RenderingFixture } from '@switchboard/connector-kit/testing';

export const accountSid = 'AC000000000000000000000000000000a1';
export const messagingServiceSid = 'MG000000000000000000000000000000c1';
const key = 'b'.repeat(64);
const photo = { mediaKey: key, mimeType: 'image/jpeg', fileName: 'menu.jpg' };
const heic = { mediaKey: key, mimeType: 'image/heic', fileName: 'a.heic' };
const places = { kind: 'location', latitude: -23.55, longitude: -46.63, name: 'Cafe Azul', address: 'Rua Um, 10' } as const;
const eleven = { kind: 'choice' as const, text: 'Pick one', options: Array.from({ length: 11 }, (_, index) => ({ id: `o${index}`, title: `Option ${index}` })) };
const numbered = `Pick one\n${Array.from({ length: 11 }, (_, index) => `${index + 1}. Option ${index}`).join('\n')}`;
const hx = 'HX000000000000000000000000000000f1';
const impossible = { impossible: 'message.unsupported_content' };

const envelopeOf = (ends: object) => (fields: object, more: object = {}) => ({ body: { kind: 'message', ...ends, ...fields, ref: renderedMessageId }, ...more });
const wa = envelopeOf({ to: 'whatsapp:+5511912345678', from: 'whatsapp:+15005550006' });
const sms = envelopeOf({ to: '+15005550111', messagingServiceSid });

/** The same on both ways: what is text. */
function textual(say: typeof wa): RenderingFixture[] {
  return [
    { name: 'a text', content: { kind: 'text', text: 'Hello' }, expected: [say({ body: 'Hello' })] },
    { name: 'a text of two messages', content: { kind: 'text', text: `${'a'.repeat(1_599)} b` }, expected: [say({ body: 'a'.repeat(1_599), ref: `${renderedMessageId}.0` }), say({ body: 'b', ref: `${renderedMessageId}.1` })].map(withRef) },
    {
      name: 'contact cards, which Twilio has no form for',
      content: { kind: 'contact_card', cards: [{ name: 'Li Wei', organization: 'Acme', phones: [{ number: '+15005550199', type: 'WORK' }], emails: [{ address: 'li@example.test' }] }] },
      expected: [say({ body: 'Li Wei\nAcme\n+15005550199\nli@example.test' })],
    },
    { name: 'a choice of eleven as numbered text', content: eleven, expected: [say({ body: numbered })] },
    { name: 'the answer to a choice', content: { kind: 'choice_reply', optionId: 'o1', title: 'Express' }, expected: [say({ body: 'Express' })] },
    { name: 'a form reply', content: { kind: 'form_reply', title: 'Delivery', fields: { city: 'Lima', parcels: 2 } }, expected: [say({ body: 'Delivery\ncity: Lima\nparcels: 2' })] },
    { name: 'a notice', content: { kind: 'notice', text: 'The office is closed.' }, expected: [say({ body: 'The office is closed.' })] },
    { name: 'that reactions have no form', content: { kind: 'reaction', emoji: '👍', providerMessageId: 'SM1' }, expected: impossible },
    { name: 'that something has no form', content: { kind: 'unsupported', providerType: 'card', raw: {} }, expected: impossible },
    { name: 'a template by its SID, with variables by name', content: { kind: 'template', name: hx, language: 'en', components: [{ variables: { 1: 'Zoe', when: 'noon' } }] }, expected: [say({ contentSid: hx, contentVariables: '{"1":"Zoe","when":"noon"}' })] },
    { name: 'a template by its name, with plain variables', content: { kind: 'template', name: 'order_ready', language: 'pt_BR', components: [{ 1: 'A-17', 2: 3 }] }, expected: [say({ template: { name: 'order_ready', language: 'pt_BR' }, contentVariables: '{"1":"A-17","2":"3"}' })] },
    {
      name: 'a template with parameters as Meta has them',
      content: { kind: 'template', name: 'order_ready', language: 'pt_BR', components: [{ type: 'header', parameters: [{ type: 'text', text: 'Zoe' }] }, { type: 'body', parameters: [{ type: 'text', text: 'A-17' }] }] },
      expected: [say({ template: { name: 'order_ready', language: 'pt_BR' }, contentVariables: '{"1":"Zoe","2":"A-17"}' })],
    },
    { name: 'a template without variables', content: { kind: 'template', name: 'hello_world', language: 'en_US', components: [] }, expected: [say({ template: { name: 'hello_world', language: 'en_US' } })] },
    { name: 'a file that is not there', content: { kind: 'video', media: { mimeType: 'video/mp4', unavailable: 'it expired', caption: 'clip' } }, expected: [say({ body: '[video: it expired]\nclip' })] },
    { name: 'a file that the channel does not carry, as a link', content: { kind: 'image', media: { ...heic, caption: 'Look' } }, expected: [say({ body: 'Look', file: 'link' }, { media: heic })] },
    { name: 'a link without a caption, with the file\'s name', content: { kind: 'image', media: heic }, expected: [say({ body: 'a.heic', file: 'link' }, { media: heic })] },
    { name: 'that an address is too long for a text', content: { kind: 'file', media: { url: `https://files.example.test/${'a'.repeat(1_000)}`, mimeType: 'application/zip' } }, expected: impossible },
    { name: 'nothing of a change of hands', content: { kind: 'handoff', to: 'desk', reason: 'asked for a person' }, expected: 'nothing' },
    { name: 'nothing of a receipt', content: { kind: 'receipt', providerMessageId: 'SM1', status: 'read' }, expected: 'nothing' },
    { name: 'nothing of the end of typing', content: { kind: 'typing', on: false }, command: { replyToProviderMessageId: 'SM1' }, expected: 'nothing' },
    { name: 'that a caller showed no number', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: 'anonymous:CA1', aliases: {} } }, expected: impossible },
    { name: 'that an address is none', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: 'somebody', aliases: {} } }, expected: impossible },
  ];
}

/** `say` puts the whole message's reference last; a part has its own. */
function withRef(part: { readonly body: object }, index: number) {
  return { ...part, body: { ...part.body, ref: `${renderedMessageId}.${index}` } };
}

/** Parameters of the Messages resource (contract, section 6.2; twilio_api_v2010.json), to a contact on WhatsApp. */
export const whatsappRenderings: readonly RenderingFixture[] = [
  ...textual(wa),
  { name: 'a text to a contact without a number', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: 'whatsapp:US.1234', aliases: {} } }, expected: [{ body: { kind: 'message', to: 'whatsapp:US.1234', from: 'whatsapp:+15005550006', body: 'Hello', ref: renderedMessageId } }] },
  { name: 'an image with its caption', content: { kind: 'image', media: { ...photo, caption: 'menu' } }, expected: [wa({ body: 'menu', file: 'media' }, { media: photo })] },
  { name: 'a voice message, with its caption behind it', content: { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus', caption: 'listen' }, voice: true }, expected: [wa({ file: 'media' }, { media: { mediaKey: key, mimeType: 'audio/ogg; codecs=opus' } }), wa({ body: 'listen' })].map(withRef) },
  { name: 'a file, which has no caption', content: { kind: 'file', media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } }, expected: [wa({ file: 'media' }, { media: { url: 'https://files.example.test/a.pdf', mimeType: 'application/pdf', fileName: 'a.pdf' } })] },
  { name: 'an image that is too large, as a link', content: { kind: 'image', media: { ...photo, size: 5 * 1024 * 1024 + 1 } }, expected: [wa({ body: 'menu.jpg', file: 'link' }, { media: photo })] },
  { name: 'a sticker', content: { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, expected: [wa({ file: 'media' }, { media: { mediaKey: key, mimeType: 'image/webp' } })] },
  { name: 'a location', content: places, expected: [wa({ body: 'Cafe Azul', persistentAction: 'geo:-23.55,-46.63|Rua Um, 10' })] },
  { name: 'a location without a name', content: { kind: 'location', latitude: 0, longitude: 0 }, expected: [wa({ body: 'Location', persistentAction: 'geo:0,0' })] },
  {
    name: 'a choice of two as buttons',
    content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }] },
    expected: [wa({ content: named({ 'twilio/quick-reply': { body: 'Confirm?', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }, { type: 'QUICK_REPLY', title: 'No', id: 'no' }] } }) })],
  },
  {
    name: 'a choice with descriptions as a list',
    content: { kind: 'choice', text: 'Pick one', buttonLabel: 'Shipping', options: [{ id: 'row_1', title: 'Standard' }, { id: 'row_2', title: 'Express', description: 'next day' }] },
    expected: [wa({ content: named({ 'twilio/list-picker': { body: 'Pick one', button: 'Shipping', items: [{ id: 'row_1', item: 'Standard' }, { id: 'row_2', item: 'Express', description: 'next day' }] } }) })],
  },
  { name: 'a choice with braces, which Twilio would fill in, as numbered text', content: { kind: 'choice', text: 'Hi {{1}}?', options: [{ id: 'yes', title: 'Yes' }] }, expected: [wa({ body: 'Hi {{1}}?\n1. Yes' })] },
  { name: 'typing, below the contact\'s last message', content: { kind: 'typing', on: true }, command: { replyToProviderMessageId: 'SM1' }, expected: [{ body: { kind: 'typing', messageId: 'SM1' } }] },
  { name: 'nothing of typing without a message', content: { kind: 'typing', on: true }, expected: 'nothing' },
];

/** The same by the SHA-256 of its JSON, whatever it is. */
function named(types: object) {
  return { friendly_name: expect.stringMatching(/^switchboard-[0-9a-f]{40}$/), language: 'en', types };
}

/** To a number: SMS and MMS, by the messaging service. */
export const smsRenderings: readonly RenderingFixture[] = [
  ...textual(sms),
  { name: 'an image with its caption as MMS', content: { kind: 'image', media: { ...photo, caption: 'menu' } }, expected: [sms({ body: 'menu', file: 'media' }, { media: photo })] },
  { name: 'a file that is too large for networks, as a link', content: { kind: 'file', media: { mediaKey: key, mimeType: 'application/pdf', fileName: 'a.pdf', size: 500 * 1024 + 1 } }, expected: [sms({ body: 'a.pdf', file: 'link' }, { media: { mediaKey: key, mimeType: 'application/pdf', fileName: 'a.pdf' } })] },
  { name: 'an image to a country without MMS, as a link', content: { kind: 'image', media: photo }, command: { contact: { address: '+5511912345678', aliases: {} } }, expected: [{ body: { kind: 'message', to: '+5511912345678', messagingServiceSid, body: 'menu.jpg', file: 'link', ref: renderedMessageId }, media: photo }] },
  { name: 'a sound', content: { kind: 'audio', media: { mediaKey: key, mimeType: 'audio/mpeg' } }, expected: [sms({ file: 'media' }, { media: { mediaKey: key, mimeType: 'audio/mpeg' } })] },
  { name: 'a sticker as a link', content: { kind: 'sticker', media: { mediaKey: key, mimeType: 'image/webp' } }, expected: [sms({ file: 'link' }, { media: { mediaKey: key, mimeType: 'image/webp' } })] },
  { name: 'a location with a map', content: places, expected: [sms({ body: 'Cafe Azul\nRua Um, 10\nhttps://www.google.com/maps?q=-23.55,-46.63' })] },
  { name: 'a choice as numbered text', content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'yes', title: 'Yes' }, { id: 'no', title: 'No' }] }, expected: [sms({ body: 'Confirm?\n1. Yes\n2. No' })] },
  { name: 'nothing of typing', content: { kind: 'typing', on: true }, command: { replyToProviderMessageId: 'SM1' }, expected: 'nothing' },
  { name: 'a text to a number without its plus', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: '15005550111', aliases: {} } }, expected: [sms({ body: 'Hello' })] },
  { name: 'a text to a short code', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: '12345', aliases: {} } }, expected: [{ body: { kind: 'message', to: '12345', messagingServiceSid, body: 'Hello', ref: renderedMessageId } }] },
  { name: 'that WhatsApp is not connected', content: { kind: 'text', text: 'Hello' }, command: { contact: { address: 'whatsapp:+5511912345678', aliases: {} } }, expected: impossible },
];

const basic = (username: string, password: string) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
export const accountAuthorization = basic(accountSid, 'auth-token-of-acme');
export const apiKeyAuthorization = basic('SK000000000000000000000000000000d1', 'api-key-secret-of-acme');

const messages = `https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages.json`;
const contents = 'https://content.twilio.com/v2/Content';
/** To the connection's own URL, with our id; the fragment has Twilio try again. */
const StatusCallback = expect.stringMatching(new RegExp(`^https://hub\\.example\\.test/webhooks/twilio/con_[0-9a-z]+/status\\?account=${accountSid}&m=${renderedMessageId}#rc=3&rp=all$`));
const toContact = { To: 'whatsapp:+5511912345678', From: 'whatsapp:+15005550006', StatusCallback };
const page = (...found: object[]) => ({ status: 200, body: { contents: found, meta: { key: 'contents', page: 0, page_size: 100, next_page_url: null } } });
const authorization = accountAuthorization;

export const whatsappCalls: readonly CallFixture[] = [
  { name: 'a text', content: { kind: 'text', text: 'Good morning' }, expected: [{ method: 'POST', url: messages, authorization, body: { ...toContact, Body: 'Good morning' } }] },
  { name: 'an image by its link', content: { kind: 'image', media: { ...photo, caption: 'menu' } }, expected: [{ method: 'POST', url: messages, authorization, body: { ...toContact, Body: 'menu', MediaUrl: `https://media.example.test/${key}` } }] },
  { name: 'a file as a link in the text', content: { kind: 'image', media: heic }, expected: [{ method: 'POST', url: messages, authorization, body: { ...toContact, Body: `a.heic\nhttps://media.example.test/${key}` } }] },
  { name: 'a location', content: places, expected: [{ method: 'POST', url: messages, authorization, body: { ...toContact, Body: 'Cafe Azul', PersistentAction: 'geo:-23.55,-46.63|Rua Um, 10' } }] },
  { name: 'a template by its SID', content: { kind: 'template', name: hx, language: 'en', components: [{ 1: 'Zoe' }] }, expected: [{ method: 'POST', url: messages, authorization, body: { ...toContact, ContentSid: hx, ContentVariables: '{"1":"Zoe"}' } }] },
  {
    name: 'a template by its name, in the language of the message',
    content: { kind: 'template', name: 'order_ready', language: 'pt_BR', components: [] },
    answers: [page({ sid: 'HX1', friendly_name: 'order_ready', language: 'en' }, { sid: 'HX2', friendly_name: 'order_ready_2', language: 'pt-BR' }, { sid: hx, friendly_name: 'order_ready', language: 'pt-BR' })],
    expected: [{ method: 'GET', url: `${contents}?PageSize=100&ContentName=order_ready`, authorization, body: undefined }, { method: 'POST', url: messages, authorization, body: { ...toContact, ContentSid: hx } }],
  },
  {
    name: 'a question with buttons, whose content is made first',
    content: { kind: 'choice', text: 'Confirm?', options: [{ id: 'yes', title: 'Yes' }] },
    answers: [page(), { status: 201, body: { sid: hx } }],
    expected: [
      { method: 'GET', url: expect.stringMatching(/^https:\/\/content\.twilio\.com\/v2\/Content\?PageSize=100&ContentName=switchboard-[0-9a-f]{40}$/) as unknown as string, authorization, body: undefined },
      { method: 'POST', url: 'https://content.twilio.com/v1/Content', authorization, body: named({ 'twilio/quick-reply': { body: 'Confirm?', actions: [{ type: 'QUICK_REPLY', title: 'Yes', id: 'yes' }] } }) },
      { method: 'POST', url: messages, authorization, body: { ...toContact, ContentSid: hx } },
    ],
  },
];

export const smsCalls: readonly CallFixture[] = [
  { name: 'a text, with the API key, by the messaging service', content: { kind: 'text', text: 'Good morning' }, expected: [{ method: 'POST', url: messages, authorization: apiKeyAuthorization, body: { To: '+15005550111', MessagingServiceSid: messagingServiceSid, Body: 'Good morning', StatusCallback } }] },
];

export const files: FileFixtures = {
  named: (url) => ({ media: { url } }),
  ownUrls: [`https://api.twilio.com/2010-04-01/Accounts/${accountSid}/Messages/MM1/Media/ME1`],
  foreignUrls: ['https://files.example.test/1', 'http://api.twilio.com/1', 'https://api.twilio.com.example.test/1', 'https://api.twilio.com:8443/1', 'https://somebody@api.twilio.com/1', 'https://evil.twilio.com/1', 'https://content.twilio.com/1', 'https://evilapi.twilio.com/1'],
};
