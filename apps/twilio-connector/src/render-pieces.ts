import { describeInWords } from '@switchboard/connector-kit';
import { assertNever, isMediaContent, type ContentOf, type MessageContent } from '@switchboard/contracts';
import { textLengthMax } from './limits.ts';
import type { Piece, PieceSetting } from './piece.ts';
import { renderChoice } from './render-choice.ts';
import { renderFile } from './render-file.ts';
import { renderTemplate } from './render-template.ts';
import { textPieces } from './text-pieces.ts';

type Sayable = Exclude<MessageContent, ContentOf<'typing' | 'receipt' | 'handoff'>>;

/** The messages that a content is at Twilio, or why it is none. Pure. */
export function renderPieces(content: Sayable, setting: PieceSetting): Piece[] | { readonly reason: string } {
  if (isMediaContent(content)) return renderFile(content, setting);
  const isWhatsApp = setting.channel === 'whatsapp';
  switch (content.kind) {
    case 'text':
    case 'notice':
      return textPieces(content.text);
    case 'choice_reply':
      return textPieces(content.title || content.optionId);
    case 'form_reply':
    case 'contact_card':
      return textPieces(describeInWords(content));
    case 'choice':
      return isWhatsApp ? renderChoice(content) : textPieces(describeInWords(content));
    case 'location':
      return isWhatsApp ? [locationPiece(content)] : textPieces(describeInWords(content));
    case 'template':
      return [renderTemplate(content)];
    case 'reaction':
      return { reason: 'Twilio has no form for reactions.' };
    case 'unsupported':
      return { reason: `Twilio has no form for "${content.providerType}".` };
    default:
      return assertNever(content);
  }
}

/** Twilio wants a text beside the place: its name. */
function locationPiece({ latitude, longitude, name, address }: ContentOf<'location'>): Piece {
  // Six decimals are a tenth of a metre; more could print as an exponent.
  const degrees = (value: number) => String(Number(value.toFixed(6)));
  const label = (address ?? name ?? '').replaceAll('|', ' ').slice(0, textLengthMax).trim();
  const body = [name, address, 'Location'].find((words) => words !== undefined && words.trim() !== '')?.slice(0, textLengthMax);
  return { body, persistentAction: `geo:${degrees(latitude)},${degrees(longitude)}${label === '' ? '' : `|${label}`}` };
}
