import { isRecord } from '../exchange.ts';

/**
 * What Chatwoot does to the text of outgoing messages before it stores them (liquidable.rb): variables are replaced, unknown ones by nothing,
 * and tags go. What stands in backticks stays; text that is not valid Liquid stays whole.
 */
export function renderLiquid(text: string, drops: Readonly<Record<string, unknown>>): string {
  const parts = text.split(/(`[^`]*`)/);
  const isBroken = parts.some((part, index) => index % 2 === 0 && (count(part, '{{') !== count(part, '}}') || count(part, '{%') !== count(part, '%}')));
  if (isBroken) return text;
  return parts.map((part, index) => (index % 2 === 1 ? part : renderPart(part, drops))).join('');
}

function renderPart(text: string, drops: Readonly<Record<string, unknown>>): string {
  return text.replaceAll(/\{%.*?%\}/gs, '').replaceAll(/\{\{\s*([\w.]*).*?\}\}/gs, (_whole, path: string) => {
    const value = path.split('.').reduce<unknown>((place, name) => (isRecord(place) ? place[name] : undefined), drops);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
  });
}

function count(text: string, mark: string): number {
  return text.split(mark).length - 1;
}
