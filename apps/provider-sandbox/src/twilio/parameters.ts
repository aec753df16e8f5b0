import { isRecord } from '../exchange.ts';
import { refuse } from './refusals.ts';

/**
 * What a parameter may be, as Twilio's OpenAPI says it: `text`, `sid:PN`, `url`, `method`, `boolean`, `integer`, `number`, `date`, `time`,
 * `enum:a,b`, `object`. A `[]` behind it: may be repeated; a `!`: must be there.
 */
export type Kinds = Readonly<Record<string, string>>;
export type Given = Readonly<Record<string, string | readonly string[]>>;

/** The form or query, each parameter checked; what the operation does not have is refused. */
export function readParameters(entries: Iterable<readonly [string, string]>, kinds: Kinds): Given {
  const given: Record<string, string | string[]> = {};
  for (const [name, value] of entries) {
    const kind = kinds[name];
    if (kind === undefined) refuse(400, 20001, `Unknown parameter: ${name}`);
    const fault = faultOf(kind.replace(/\W+$/, ''), value);
    if (fault !== undefined) refuse(400, codes[name] ?? 20001, `${name} is not valid: ${fault}`);
    const isList = kind.includes('[]');
    if (!isList && given[name] !== undefined) refuse(400, 20001, `${name} was given twice`);
    given[name] = isList ? [...(given[name] ?? []), value] : value;
  }
  for (const [name, kind] of Object.entries(kinds)) if (kind.endsWith('!') && given[name] === undefined) refuse(400, codes[name] ?? 20001, `Missing required parameter ${name} in the post body`);
  return given;
}

/** The same of a JSON body: only its first level is looked at here. */
export function readJsonParameters(body: unknown, kinds: Kinds): Readonly<Record<string, unknown>> {
  if (!isRecord(body)) refuse(400, 20001, 'The body is no JSON object');
  for (const name of Object.keys(body)) if (kinds[name] === undefined) refuse(400, 20001, `Unknown parameter: ${name}`);
  for (const [name, kind] of Object.entries(kinds)) {
    const value = body[name];
    if (kind.endsWith('!') && (value === undefined || value === null)) refuse(400, 20001, `Missing required parameter ${name}`);
    if (value === undefined || value === null) continue;
    if (kind.startsWith('object') ? !isRecord(value) : typeof value !== 'string') refuse(400, 20001, `${name} has the wrong type`);
  }
  return body;
}

/** Errors that Twilio has for one parameter of its own. */
const codes: Readonly<Record<string, number>> = { To: 21604, SmsUrl: 21502, VoiceUrl: 21502, StatusCallback: 21609, MediaUrl: 21620 };

function faultOf(kind: string, value: string): string | undefined {
  const [name = '', detail = ''] = kind.split(':');
  // An empty text unsets a URL, an application or a method.
  if (value === '' && ['url', 'method', 'sid'].includes(name)) return undefined;
  switch (name) {
    case 'sid':
      return new RegExp(`^(${detail.replaceAll(',', '|')})[0-9a-fA-F]{32}$`).test(value) ? undefined : `use a SID ${detail}…`;
    case 'url':
      return isWebUrl(value) ? undefined : 'use an absolute http(s) URL';
    case 'method':
      return ['GET', 'POST'].includes(value.toUpperCase()) ? undefined : 'use GET or POST';
    case 'boolean':
      return /^(true|false)$/i.test(value) ? undefined : 'use true or false';
    case 'integer':
      return /^-?\d+$/.test(value) ? undefined : 'use a whole number';
    case 'number':
      return Number.isFinite(Number(value)) && value !== '' ? undefined : 'use a number';
    case 'date':
      return /^(\d{4}-\d{2}-\d{2}|[-+]?\d+days?)$/.test(value) ? undefined : 'use YYYY-MM-DD';
    case 'time':
      return Number.isNaN(Date.parse(value)) ? 'use a time of ISO 8601' : undefined;
    case 'enum':
      return detail.split(',').includes(value) ? undefined : `use ${detail}`;
    default:
      return undefined;
  }
}

function isWebUrl(value: string): boolean {
  const url = URL.parse(value);
  // Twilio refuses underscores in the host of a callback (T-TRK).
  return url !== null && /^https?:$/.test(url.protocol) && url.hostname !== '' && !url.hostname.includes('_');
}

export const textOf = (given: Given, name: string): string | undefined => {
  const value = given[name];
  return typeof value === 'string' ? value : value?.[0];
};
export const listOf = (given: Given, name: string): readonly string[] => {
  const value = given[name];
  return value === undefined ? [] : typeof value === 'string' ? [value] : value;
};
