import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { isRecord } from '../src/exchange.ts';

type Properties = Readonly<Record<string, string>>;
export type Operation = {
  readonly request: { readonly source: string; readonly parameters: Properties };
  readonly status: number;
  readonly response: { readonly source: string; readonly schema?: string; readonly list?: string };
  /** File of the library, below lib/rest. */
  readonly package: string;
};
type Description = { readonly sources: Record<string, unknown>; readonly schemas: Record<string, Properties>; readonly packageOnly: Record<string, Properties>; readonly operations: Record<string, Operation> };

/** What twilio-operations.json keeps of Twilio's published API; ours, and read for its fields by the tests. */
export const description = JSON.parse(readFileSync(new URL('twilio-operations.json', import.meta.url), 'utf8')) as Description;

/** The fields around a page: all of them are optional in the description. */
const pageFields: Properties = { page: 'integer', page_size: 'integer', start: 'integer', end: 'integer', uri: 'text', first_page_uri: 'text', next_page_uri: 'text?', previous_page_uri: 'text?' };
const metaFields: Properties = { page: 'integer', page_size: 'integer', first_page_url: 'uri', previous_page_url: 'uri?', url: 'uri', next_page_url: 'uri?', key: 'text' };

/** Where an answer departs from the description; a list's things are looked at one by one. */
export function findFaults({ response }: Operation, body: unknown): string[] {
  if (response.schema === undefined) return body === null || (isRecord(body) && Object.keys(body).length === 0) ? [] : ['an answer without content has one'];
  if (!isRecord(body)) return ['no object'];
  if (response.list === undefined) return faultsOfThing(response.schema, body);
  const { [response.list]: things, meta, ...rest } = body;
  if (!Array.isArray(things)) return [`no list ${response.list}`];
  const around = isRecord(meta) ? faultsOfFields(metaFields, meta, 'meta') : faultsOfFields(pageFields, rest, 'page', Object.keys(pageFields));
  return [...around, ...things.flatMap((thing) => (isRecord(thing) ? faultsOfThing(response.schema ?? '', thing) : ['a thing in the list is no object']))];
}

function faultsOfThing(schema: string, thing: Record<string, unknown>): string[] {
  const extra = description.packageOnly[schema] ?? {};
  return faultsOfFields({ ...description.schemas[schema], ...extra }, thing, schema, Object.keys(extra));
}

function faultsOfFields(properties: Properties, thing: Record<string, unknown>, where: string, optional: readonly string[] = []): string[] {
  const unknown = Object.keys(thing).filter((name) => properties[name] === undefined);
  const faults = Object.entries(properties).flatMap(([name, kind]) => {
    if (!(name in thing)) return optional.includes(name) ? [] : [`${where}.${name} is missing`];
    return fits(kind, thing[name]) ? [] : [`${where}.${name} is ${JSON.stringify(thing[name])}, not ${kind}`];
  });
  return [...unknown.map((name) => `${where}.${name} is not in the description`), ...faults];
}

const patterns: Readonly<Record<string, RegExp>> = {
  rfc2822: /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} \+0000$/,
  iso: /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/,
  date: /^\d{4}-\d{2}-\d{2}$/,
  uri: /^https?:\/\/[^\s]+$/,
  phone: /^\+\d{7,15}$/,
  method: /^(GET|POST)$/,
};

function fits(kind: string, value: unknown): boolean {
  if (value === null) return kind.endsWith('?');
  // So Twilio's own examples write addresses and applications of a number that are not set.
  if (value === '' && /^(uri|sid:AP)\?$/.test(kind)) return true;
  const [name = '', detail = ''] = kind.replace(/\?$/, '').split(/:(.*)/s);
  switch (name) {
    case 'any':
      return true;
    case 'text':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'integer':
      return Number.isInteger(value);
    case 'number':
      // Twilio's own examples write prices as text.
      return typeof value === 'number' || (typeof value === 'string' && /^-?\d+(\.\d+)?$/.test(value));
    case 'list':
      return Array.isArray(value);
    case 'map':
      return isRecord(value);
    case 'capabilities':
      return isRecord(value) && Object.entries(value).every(([key, one]) => ['voice', 'sms', 'mms', 'fax'].includes(key) && typeof one === 'boolean');
    case 'object':
      return isRecord(value) && Object.keys(value).every((key) => detail.split(',').includes(key));
    case 'sid':
      return typeof value === 'string' && new RegExp(`^(${detail.replaceAll(',', '|')})[0-9a-fA-F]{32}$`).test(value);
    case 'enum':
      return typeof value === 'string' && detail.split(',').includes(value);
    default:
      return typeof value === 'string' && patterns[name]?.test(value) === true;
  }
}

const libraryRoot = createRequire(import.meta.url).resolve('twilio').replace(/[^/]+$/, '');

/** Parameters that the published library can send with a resource, and properties of an answer that it reads. */
export function libraryFacts(file: string): { parameters: Set<string>; properties: Set<string> } {
  const source = readFileSync(`${libraryRoot}rest/${file}.js`, 'utf8');
  return {
    parameters: new Set([...source.matchAll(/data\["([^"]+)"\]/g)].map(([, name = '']) => name)),
    properties: new Set([...source.matchAll(/this\.\w+ = [^;]*?payload\.(\w+)\b[^;]*;/g)].map(([, name = '']) => name)),
  };
}
