import { isRecord } from '../exchange.ts';

/** A refusal in Meta's form: code of its error table and the details. */
export type MetaRefusal = { readonly code: number; readonly details: string };

/** Text bodies are refused past this length; Meta's number is not in the contract, 4 096 is what its own tools use. */
const textLengthMax = 4096;
const captionLengthMax = 1024;

/**
 * What Meta would refuse in the body of POST /{phone-number-id}/messages, or undefined. Limits: OpenAPI of the Cloud API v23.0, as
 * collected in the provider's contract, section 8.
 */
export function checkOutgoingMessage(body: Record<string, unknown>): MetaRefusal | undefined {
  if (body['messaging_product'] !== 'whatsapp') return invalid('messaging_product must be "whatsapp"');
  if (body['status'] === 'read') return typeof body['message_id'] === 'string' ? undefined : missing('message_id');
  if (typeof body['to'] !== 'string' && typeof body['recipient'] !== 'string') return missing('to');
  if (typeof body['to'] === 'string' && !/^\+?[\d\s()-]{5,25}$/.test(body['to'])) return { code: 131009, details: 'to is not a phone number' };
  const type = body['type'] ?? 'text';
  if (typeof type !== 'string') return invalid('type must be a string');
  const check = checks[type];
  if (check === undefined) return { code: 131051, details: `type ${type} is not supported` };
  const part = body[type];
  if (!isRecord(part) && !Array.isArray(part)) return missing(type);
  return check(part as Record<string, unknown>);
}

const checks: Readonly<Record<string, (part: Record<string, unknown>) => MetaRefusal | undefined>> = {
  text: (text) => lengthOf(text['body'], 'text.body', 1, textLengthMax),
  image: checkMedia,
  audio: checkMedia,
  video: checkMedia,
  document: checkMedia,
  sticker: checkMedia,
  location: (location) => (isFinite(Number(location['latitude'])) && isFinite(Number(location['longitude'])) ? undefined : missing('location.latitude')),
  contacts: (contacts) => {
    if (!Array.isArray(contacts) || contacts.length === 0 || contacts.length > 5) return invalid('contacts must hold 1 to 5 entries');
    return contacts.every((contact: unknown) => isRecord(contact) && isRecord(contact['name']) && typeof contact['name']['formatted_name'] === 'string') ? undefined : missing('contacts.name.formatted_name');
  },
  reaction: (reaction) => (typeof reaction['message_id'] === 'string' && typeof reaction['emoji'] === 'string' ? undefined : missing('reaction.message_id')),
  template: (template) => (typeof template['name'] === 'string' && isRecord(template['language']) && typeof template['language']['code'] === 'string' ? undefined : missing('template.language.code')),
  interactive: checkInteractive,
};

function checkMedia(media: Record<string, unknown>): MetaRefusal | undefined {
  if ((typeof media['id'] === 'string') === (typeof media['link'] === 'string')) return invalid('exactly one of id and link is needed');
  return media['caption'] === undefined ? undefined : lengthOf(media['caption'], 'caption', 0, captionLengthMax);
}

function checkInteractive(interactive: Record<string, unknown>): MetaRefusal | undefined {
  const body = isRecord(interactive['body']) ? interactive['body']['text'] : undefined;
  const action = isRecord(interactive['action']) ? interactive['action'] : {};
  const tooLong = lengthOf(body, 'interactive.body.text', 1, 1024);
  if (tooLong) return tooLong;
  if (interactive['type'] === 'button') {
    const buttons = Array.isArray(action['buttons']) ? (action['buttons'] as unknown[]) : [];
    if (buttons.length < 1 || buttons.length > 3) return invalid('1 to 3 reply buttons are allowed');
    return firstRefusal(buttons, (button) => {
      const reply = isRecord(button) && isRecord(button['reply']) ? button['reply'] : {};
      return lengthOf(reply['id'], 'reply.id', 1, 256) ?? lengthOf(reply['title'], 'reply.title', 1, 20);
    });
  }
  if (interactive['type'] === 'list') {
    const sections = Array.isArray(action['sections']) ? (action['sections'] as unknown[]) : [];
    const rows = sections.flatMap((section) => (isRecord(section) && Array.isArray(section['rows']) ? (section['rows'] as unknown[]) : []));
    if (sections.length < 1 || sections.length > 10 || rows.length < 1 || rows.length > 10) return invalid('a list has 1 to 10 sections and 1 to 10 rows in all');
    return (
      lengthOf(action['button'], 'action.button', 1, 20) ??
      firstRefusal(rows, (row) => {
        const fields = isRecord(row) ? row : {};
        return (
          lengthOf(fields['id'], 'row.id', 1, 200) ??
          lengthOf(fields['title'], 'row.title', 1, 24) ??
          (fields['description'] === undefined ? undefined : lengthOf(fields['description'], 'row.description', 0, 72))
        );
      })
    );
  }
  return typeof interactive['type'] === 'string' ? undefined : missing('interactive.type');
}

function firstRefusal(items: readonly unknown[], check: (item: unknown) => MetaRefusal | undefined): MetaRefusal | undefined {
  for (const item of items) {
    const refusal = check(item);
    if (refusal) return refusal;
  }
  return undefined;
}

function lengthOf(value: unknown, name: string, min: number, max: number): MetaRefusal | undefined {
  if (typeof value !== 'string') return missing(name);
  return value.length >= min && value.length <= max ? undefined : invalid(`${name} must have ${min} to ${max} characters`);
}

function missing(name: string): MetaRefusal {
  return { code: 131008, details: `${name} is missing` };
}

function invalid(details: string): MetaRefusal {
  return { code: 100, details };
}
