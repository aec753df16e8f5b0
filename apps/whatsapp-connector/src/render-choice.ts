import { splitText } from '@switchboard/connector-kit';
import { describeContent, type ContentOf } from '@switchboard/contracts';
import { limits } from './limits.ts';
import { textPieces, type Piece } from './text-pieces.ts';

type Choice = ContentOf<'choice'>;
type Option = Choice['options'][number];

/** A question as up to three buttons, else as a list of up to ten rows, else as numbered text that the contact answers by typing. Pure. */
export function renderChoice(choice: Choice): Piece[] {
  const action = buttonsOf(choice) ?? listOf(choice);
  if (action === undefined) return textPieces(describeContent(choice));
  // The buttons hang below the end of the question; what is too long for their message goes before it.
  const pieces = splitText(choice.text, limits.interactiveTextLengthMax);
  const last = pieces.at(-1)?.trim() ?? '';
  // Meta refuses an empty question; a bot that asked with blanks still offers its answers.
  const question = last === '' ? '…' : last;
  return [...textPieces(pieces.slice(0, -1).join('\n')), { type: 'interactive', body: { type: action.type, body: { text: question }, action: action.action } }];
}

function buttonsOf({ options }: Choice) {
  const fits = ({ id, title, description }: Option) =>
    id.length <= limits.buttonIdLengthMax && title.length <= limits.buttonTitleLengthMax && title.trim() !== '' && description === undefined;
  if (options.length > limits.buttonsMax || !options.every(fits) || hasTwins(options.map(({ title }) => title)) || hasTwins(options.map(({ id }) => id))) return undefined;
  return { type: 'button', action: { buttons: options.map(({ id, title }) => ({ type: 'reply', reply: { id, title } })) } };
}

function listOf({ options, buttonLabel }: Choice) {
  const rows = options.map(rowOf);
  if (rows.length > limits.rowsMax || !rows.every((row) => row !== undefined) || hasTwins(options.map(({ id }) => id))) return undefined;
  const button = buttonLabel !== undefined && buttonLabel.trim() !== '' && buttonLabel.length <= limits.listButtonLengthMax ? buttonLabel : 'Options';
  return { type: 'list', action: { button, sections: [{ rows }] } };
}

/** A title that is too long is shown cut, and whole in the description, where there is room. */
function rowOf({ id, title, description }: Option) {
  if (id.length > limits.rowIdLengthMax || title.trim() === '') return undefined;
  if (title.length <= limits.rowTitleLengthMax && (description?.length ?? 0) <= limits.rowDescriptionLengthMax) return { id, title, ...(description ? { description } : {}) };
  const whole = [title, description].filter(Boolean).join(': ');
  if (whole.length > limits.rowDescriptionLengthMax) return undefined;
  return { id, title: title.length <= limits.rowTitleLengthMax ? title : `${splitText(title, limits.rowTitleLengthMax - 1)[0]}…`, description: whole };
}

function hasTwins(values: readonly string[]): boolean {
  return new Set(values).size !== values.length;
}
