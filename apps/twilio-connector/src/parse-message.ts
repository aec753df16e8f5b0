import type { InboundEvent, RemoteMedia } from '@switchboard/connector-kit';
import type { ContactRef, MessageContent } from '@switchboard/contracts';
import { decodeBody } from './decode-body.ts';
import { parseMedia } from './parse-media.ts';
import { parseReply } from './parse-reply.ts';
import type { Form } from './wire.ts';

type Message = Extract<InboundEvent, { kind: 'message' }>;

/**
 * An inbound message: one, and with several files the others as messages of their own (`<SID>.1`, …). The first has the text, and what is said
 * about the message. Pure.
 */
export function parseMessage(form: Form, receivedAt: string): InboundEvent[] {
  const { MessageSid: sid, From: from } = form;
  if (!sid || !from) return [{ kind: 'ignored', reason: 'a message without id or sender' }];
  const [first, ...others] = contentsOf(form);
  const contact = contactOf(form, from);
  const repliedTo = form['OriginalRepliedMessageSid'];
  const message: Message = {
    kind: 'message',
    providerMessageId: sid,
    contact,
    author: 'contact',
    ...first,
    ...(repliedTo ? { replyToProviderMessageId: repliedTo } : {}),
    attributes: attributesOf(form),
    sentAt: receivedAt,
  };
  return [message, ...others.map((one, index): Message => ({ kind: 'message', providerMessageId: `${sid}.${index + 1}`, contact, author: 'contact', ...one, attributes: { partOf: sid }, sentAt: receivedAt }))];
}

/**
 * The address is `From` as Twilio says it: a number for SMS, `whatsapp:` with a number, or with a business-scoped user id where the contact hides it. Other
 * names stay within WhatsApp too: a thread there is not the thread by SMS, in which other rules hold for what may be answered.
 */
function contactOf(form: Form, from: string): ContactRef {
  const { ProfileName: name, WaId: waId } = form;
  const userId = [form['ExternalUserId'], from].find((id) => id !== undefined && /^whatsapp:[A-Z]{2}\./.test(id))?.slice('whatsapp:'.length);
  return { address: from, ...(name ? { name } : {}), aliases: { ...(waId ? { waId: `whatsapp:+${waId}` } : {}), ...(userId === undefined ? {} : { userId }) } };
}

type Content = { readonly content: MessageContent; readonly remoteMedia?: RemoteMedia };

function contentsOf(form: Form): [Content, ...Content[]] {
  const text = decodeBody(form);
  const [file, ...files] = parseMedia(form);
  if (file !== undefined) return [text.trim() === '' ? file : withCaption(file, text), ...files];
  return [{ content: parseReply(form) ?? locationOf(form) ?? (text.trim() === '' ? unsupported(form) : { kind: 'text', text }) }];
}

function withCaption(file: ReturnType<typeof parseMedia>[number], caption: string): Content {
  const { content, remoteMedia } = file;
  return { content: { ...content, media: { ...content.media, caption } }, remoteMedia };
}

function locationOf({ Latitude: latitude, Longitude: longitude, Label: name, Address: address }: Form): MessageContent | undefined {
  if (!latitude || !longitude) return undefined;
  const [north, east] = [Number(latitude), Number(longitude)];
  // What is nowhere on earth is kept as it came.
  if (!(Math.abs(north) <= 90 && Math.abs(east) <= 180)) return undefined;
  return { kind: 'location', latitude: north, longitude: east, ...(name ? { name } : {}), ...(address ? { address } : {}) };
}

/** Nothing that a person could read: a kind that Twilio has no fields for (a reaction, a poll), or white space alone. */
function unsupported(form: Form): MessageContent {
  return { kind: 'unsupported', providerType: form['MessageType'] || 'message', reason: 'Twilio sent neither text nor a file.', raw: form };
}

/** What a text cannot say: where it was sent to, the advertisement that brought the contact, forwarding, Twilio's word on opting out. */
function attributesOf(form: Form): Record<string, string> {
  const facts: [string, string | undefined][] = [
    ['to', form['To']],
    ['messagingServiceSid', form['MessagingServiceSid']],
    // What Twilio bills of an SMS.
    ['segments', form['NumSegments']],
    ['optOutType', form['OptOutType']?.toUpperCase()],
    ['forwarded', form['Forwarded'] === 'true' || form['FrequentlyForwarded'] === 'true' ? 'true' : undefined],
    ['frequentlyForwarded', form['FrequentlyForwarded'] === 'true' ? 'true' : undefined],
    ...Object.entries(form).flatMap(([name, fact]): [string, string][] => {
      // `ReferralNumMedia=0` is sent with every message.
      const isReferral = name.startsWith('Referral') && name !== 'ReferralNumMedia';
      return isReferral ? [[`referral.${name.charAt('Referral'.length).toLowerCase()}${name.slice('Referral'.length + 1)}`, fact]] : [];
    }),
  ];
  return Object.fromEntries(facts.flatMap(([name, fact]) => (fact === undefined || fact === '' ? [] : [[name, fact]])));
}
