import type { MessageContent, MessageKind } from '@switchboard/contracts';
import * as fc from 'fast-check';

const text = (maxLength: number) => fc.string({ unit: 'grapheme', minLength: 1, maxLength }).filter((value) => value.length <= maxLength * 4);
/** Mostly short, sometimes as long as a provider's limit and beyond. */
const body = fc.oneof({ weight: 4, arbitrary: text(200) }, { weight: 1, arbitrary: fc.tuple(text(60), fc.integer({ min: 1, max: 120 })).map(([unit, times]) => `${unit} `.repeat(times)) });
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const mediaKey = fc.array(fc.constantFrom(...'0123456789abcdef'), { minLength: 64, maxLength: 64 }).map((digits) => digits.join(''));

const media = fc.record({
  mediaKey: optional(mediaKey),
  url: optional(fc.webUrl()),
  mimeType: fc.constantFrom('image/jpeg', 'image/png', 'image/webp', 'image/heic', 'audio/ogg; codecs=opus', 'audio/x-wav', 'video/mp4', 'video/quicktime', 'application/pdf', 'text/plain', ''),
  fileName: optional(text(40)),
  size: optional(fc.integer({ min: 0, max: 200 * 1024 * 1024 })),
  caption: optional(body),
});

/** Lengths around the limits that providers set for buttons and rows. */
const words = (maxLength: number) => fc.integer({ min: 1, max: maxLength }).map((length) => 'Words of a certain length, as long as a test of limits needs them to be, and some more of them for rows.'.slice(0, length));
const option = fc.record({ id: fc.oneof(text(60), fc.uuid()), title: fc.oneof(text(30), words(30)), description: optional(fc.oneof(text(90), words(90))) });

/** Any content of the shared vocabulary, by its kind. */
const contents: { readonly [K in MessageKind]: fc.Arbitrary<Extract<MessageContent, { kind: K }>> } = {
  text: fc.record({ kind: fc.constant('text' as const), text: body }),
  image: fc.record({ kind: fc.constant('image' as const), media }),
  audio: fc.record({ kind: fc.constant('audio' as const), media, voice: optional(fc.boolean()) }),
  video: fc.record({ kind: fc.constant('video' as const), media }),
  file: fc.record({ kind: fc.constant('file' as const), media }),
  sticker: fc.record({ kind: fc.constant('sticker' as const), media }),
  location: fc.record({
    kind: fc.constant('location' as const),
    latitude: fc.double({ min: -90, max: 90, noNaN: true }),
    longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    name: optional(text(40)),
    address: optional(text(80)),
  }),
  contact_card: fc.record({
    kind: fc.constant('contact_card' as const),
    cards: fc.array(
      fc.record({
        name: fc.string({ unit: 'grapheme', maxLength: 40 }),
        organization: optional(text(40)),
        phones: fc.array(fc.record({ number: fc.stringMatching(/^\+[1-9]\d{6,14}$/), type: optional(text(10)) }), { maxLength: 3 }),
        emails: fc.array(fc.record({ address: fc.emailAddress(), type: optional(text(10)) }), { maxLength: 3 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
  }),
  choice: fc.record({ kind: fc.constant('choice' as const), text: body, options: fc.array(option, { minLength: 1, maxLength: 12 }), buttonLabel: optional(words(30)) }),
  choice_reply: fc.record({ kind: fc.constant('choice_reply' as const), optionId: text(60), title: fc.string({ maxLength: 60 }) }),
  reaction: fc.record({ kind: fc.constant('reaction' as const), emoji: fc.constantFrom('', '👍', '😮'), providerMessageId: text(40) }),
  template: fc.record({ kind: fc.constant('template' as const), name: text(40), language: fc.constantFrom('en_US', 'de'), components: fc.array(fc.dictionary(fc.string(), fc.jsonValue()), { maxLength: 2 }) }),
  form_reply: fc.record({ kind: fc.constant('form_reply' as const), title: fc.string({ maxLength: 60 }), fields: fc.dictionary(text(20), fc.jsonValue({ maxDepth: 1 })) }),
  typing: fc.record({ kind: fc.constant('typing' as const), on: fc.boolean() }),
  receipt: fc.record({ kind: fc.constant('receipt' as const), providerMessageId: text(40), status: fc.constantFrom('delivered', 'read', 'failed') }),
  handoff: fc.record({ kind: fc.constant('handoff' as const), to: fc.constantFrom('bot', 'desk', 'none'), reason: words(60), summary: optional(words(90)), transcript: optional(fc.array(fc.record({ author: fc.constantFrom('contact', 'bot', 'agent', 'system'), text: body, at: fc.constant('2026-11-21T12:00:00.000Z') }), { maxLength: 5 })) }),
  notice: fc.record({ kind: fc.constant('notice' as const), text: body }),
  unsupported: fc.record({ kind: fc.constant('unsupported' as const), providerType: text(20), raw: fc.jsonValue() }),
};

export const messageKinds = Object.keys(contents) as MessageKind[]; // its keys are exactly the kinds, by its type

export function arbitraryContent(kind: MessageKind): fc.Arbitrary<MessageContent> {
  return contents[kind];
}
