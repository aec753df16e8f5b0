import type { ContentOf } from '@switchboard/contracts';
import type { Piece } from './piece.ts';

/**
 * A content template by its SID (`HX…`), or by its name, which the client looks up with the language. What its components say becomes Twilio's
 * variables: `{"1": "Zoe"}` as they are, or below `variables`, or Meta's `parameters`, numbered through. Pure.
 */
export function renderTemplate({ name, language, components }: ContentOf<'template'>): Piece {
  const variables = variablesOf(components);
  return {
    ...(/^HX[0-9a-fA-F]{32}$/.test(name) ? { contentSid: name } : { template: { name, language } }),
    ...(Object.keys(variables).length === 0 ? {} : { contentVariables: JSON.stringify(variables) }),
  };
}

type Fields = Readonly<Record<string, unknown>>;

function variablesOf(components: readonly Fields[]): Record<string, string> {
  let parameterCount = 0;
  return Object.fromEntries(
    components.flatMap((component) => {
      const { variables, parameters, type: _type, ...own } = component;
      if (isFields(variables)) return named(variables);
      if (!Array.isArray(parameters)) return named(own);
      return parameters.map((parameter): [string, string] => [String(++parameterCount), wordsOf(isFields(parameter) ? parameter['text'] : parameter)]);
    }),
  );
}

function named(fields: Fields): [string, string][] {
  return Object.entries(fields).flatMap(([name, value]) => (value === null || typeof value === 'object' ? [] : [[name, wordsOf(value)]]));
}

function wordsOf(value: unknown): string {
  return typeof value === 'string' ? value : value === undefined || value === null || typeof value === 'object' ? '' : String(value);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
