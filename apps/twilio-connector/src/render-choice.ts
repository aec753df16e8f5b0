import { describeInWords, splitText } from '@switchboard/connector-kit';
import type { ContentOf } from '@switchboard/contracts';
import { createHash } from 'node:crypto';
import { contentLimits } from './limits.ts';
import type { ContentDefinition } from './part.ts';
import type { Piece } from './piece.ts';
import { textPieces } from './text-pieces.ts';

type Choice = ContentOf<'choice'>;
type Option = Choice['options'][number];

/** A question on WhatsApp as up to three buttons, else as a list of up to ten rows, else as numbered text that the contact answers by typing. Pure. */
export function renderChoice(choice: Choice): Piece[] {
  // The buttons hang below the end of the question; what is too long for their message goes before it.
  const pieces = splitText(choice.text, contentLimits.textLengthMax);
  const last = pieces.at(-1)?.trim() ?? '';
  // An empty question is refused; a bot that asked with blanks still offers its answers.
  const question = last === '' ? '…' : last;
  const types = buttonsOf(choice, question) ?? listOf(choice, question);
  // Braces are Twilio's variables: somebody's words must not become one.
  if (types === undefined || JSON.stringify(types).includes('{{')) return textPieces(describeInWords(choice));
  return [...textPieces(pieces.slice(0, -1).join('\n')), { content: contentOf(types) }];
}

/** Named by its hash, so that the same question is found again. */
function contentOf(types: ContentDefinition['types']): ContentDefinition {
  const hash = createHash('sha256').update(JSON.stringify(types)).digest('hex').slice(0, 40);
  return { friendly_name: `switchboard-${hash}`, language: 'en', types };
}

function buttonsOf({ options }: Choice, body: string): ContentDefinition['types'] | undefined {
  const fits = ({ id, title, description }: Option) => id.length <= contentLimits.idLengthMax && title.length <= contentLimits.buttonTitleLengthMax && title.trim() !== '' && description === undefined;
  if (options.length > contentLimits.buttonsMax || !options.every(fits) || hasTwins(options.map(({ title }) => title)) || hasTwins(options.map(({ id }) => id))) return undefined;
  return { 'twilio/quick-reply': { body, actions: options.map(({ id, title }) => ({ type: 'QUICK_REPLY', title, id })) } };
}

function listOf({ options, buttonLabel }: Choice, body: string): ContentDefinition['types'] | undefined {
  const items = options.map(itemOf);
  if (items.length > contentLimits.rowsMax || !items.every((item) => item !== undefined) || hasTwins(options.map(({ id }) => id))) return undefined;
  const button = buttonLabel !== undefined && buttonLabel.trim() !== '' && buttonLabel.length <= contentLimits.listButtonLengthMax ? buttonLabel : 'Options';
  return { 'twilio/list-picker': { body, button, items } };
}

/** A title that is too long is shown cut, and whole in the description, where there is room. */
function itemOf({ id, title, description }: Option) {
  if (id.length > contentLimits.idLengthMax || title.trim() === '') return undefined;
  const isTitleWhole = title.length <= contentLimits.rowTitleLengthMax;
  const words = isTitleWhole ? description : [title, description].filter(Boolean).join(': ');
  if ((words?.length ?? 0) > contentLimits.rowDescriptionLengthMax) return undefined;
  return { id, item: isTitleWhole ? title : `${splitText(title, contentLimits.rowTitleLengthMax - 1)[0]}…`, ...(words ? { description: words } : {}) };
}

function hasTwins(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}
