import { assertNever, describeContent, describeHandoff, type ContentOf, type MediaContent, type MessageContent } from '@switchboard/contracts';

/** What people read of a message whose kind the provider has no form for. A file's words are those of a file that is not there. */
export function describeInWords(content: Exclude<MessageContent, ContentOf<'typing' | 'receipt'>>): string {
  switch (content.kind) {
    case 'text':
    case 'notice':
    case 'choice':
    case 'choice_reply':
    case 'template':
      return describeContent(content);
    case 'image':
    case 'audio':
    case 'video':
    case 'file':
    case 'sticker':
      return describeMissingFile(content);
    case 'location':
      return [content.name, content.address, content.url ?? `https://www.google.com/maps?q=${content.latitude},${content.longitude}`].filter(Boolean).join('\n');
    case 'contact_card':
      return content.cards.map((card) => [card.name, card.organization, ...card.phones.map((phone) => phone.number), ...card.emails.map((email) => email.address)].filter(Boolean).join('\n')).join('\n\n');
    case 'reaction':
      return content.emoji === '' ? '[took a reaction back]' : `[reacted with ${content.emoji}]`;
    case 'form_reply':
      return [content.title, ...Object.entries(content.fields).map(([name, value]) => `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`)].join('\n');
    case 'handoff':
      return describeHandoff(content);
    case 'unsupported':
      return `[a message of the kind "${content.providerType}" that cannot be shown here]`;
    default:
      return assertNever(content);
  }
}

/** The reader must know that there was one. */
function describeMissingFile({ kind, media }: MediaContent): string {
  return [`[${kind}: ${media.unavailable ?? 'the file is not available'}]`, media.caption].filter(Boolean).join('\n');
}
