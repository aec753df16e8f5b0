import { isRecord } from '../exchange.ts';

type Check = (payload: Record<string, unknown>) => string | undefined;

const isText = (value: unknown): value is string => typeof value === 'string' && value.length > 0;
const needs = (...fields: readonly string[]): Check => (payload) => fields.filter((field) => !isText(payload[field])).map((field) => `data/payload/${field} must NOT have fewer than 1 characters`)[0];

const options: Check = (payload) => {
  const list = Array.isArray(payload['options']) ? (payload['options'] as unknown[]) : undefined;
  if (list === undefined) return "data/payload must have required property 'options'";
  return list.every((option) => isRecord(option) && isText(option['label']) && isText(option['value'])) ? needs('text')(payload) : 'data/payload/options must have label and value';
};

const actions = new Set(['postback', 'url', 'say']);
const card: Check = (payload) => {
  const list = Array.isArray(payload['actions']) ? (payload['actions'] as unknown[]) : undefined;
  if (list === undefined) return "data/payload must have required property 'actions'";
  return list.every((action) => isRecord(action) && actions.has(String(action['action'])) && isText(action['label']) && isText(action['value'])) ? needs('title')(payload) : 'data/payload/actions must have action, label and value';
};

const items = (check: (item: Record<string, unknown>) => string | undefined): Check => (payload) => {
  const list = Array.isArray(payload['items']) ? (payload['items'] as unknown[]) : undefined;
  if (list === undefined) return "data/payload must have required property 'items'";
  return list.map((item) => (isRecord(item) ? check(item) : 'data/payload/items must be object')).find((fault) => fault !== undefined);
};

const isPlace: Check = (payload) => (typeof payload['latitude'] === 'number' && typeof payload['longitude'] === 'number' ? undefined : 'data/payload/latitude must be number');

/** Message types of the Chat API (contract, section 2.5) and what each must have. */
const simple: Readonly<Record<string, Check>> = {
  text: needs('text'),
  markdown: needs('markdown'),
  image: needs('imageUrl'),
  audio: needs('audioUrl'),
  video: needs('videoUrl'),
  file: needs('fileUrl'),
  location: isPlace,
};
const types: Readonly<Record<string, Check>> = { ...simple, choice: options, dropdown: options, card, carousel: items(card), bloc: items((item) => checkBy(simple, item)) };

/** What the Chat API would refuse in a message's payload, or undefined. */
export function checkPayload(payload: unknown): string | undefined {
  return isRecord(payload) ? checkBy(types, payload) : "data must have required property 'payload'";
}

function checkBy(checks: Readonly<Record<string, Check>>, payload: Record<string, unknown>): string | undefined {
  const check = checks[String(payload['type'])];
  return check === undefined ? `data/payload/type must be equal to one of the allowed values` : check(payload);
}
