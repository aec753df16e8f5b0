import type { ConformanceFixtures } from '@switchboard/connector-kit/testing';
import { messageLengthMax } from '../src/api/messages.ts';

type Body = { readonly message?: { readonly content: string; readonly messageType: string; readonly contentType?: string; readonly sourceId?: string; readonly contentAttributes: { readonly hub_ref?: string; readonly items?: readonly { title: string; value: string }[]; readonly automation_rule_id?: unknown } } };

/** The contract's section 2.4. */
export const findBrokenLimit: ConformanceFixtures['findBrokenLimit'] = (body) => {
  // The cast names what the assertions read; a part without a message has no limits.
  const { message } = body as Body;
  if (message === undefined) return undefined;
  const { content, messageType, contentAttributes, contentType, sourceId } = message;
  if (content.length > messageLengthMax) return 'content is too long';
  if (contentAttributes.hub_ref === undefined) return 'nothing marks it as ours';
  if (messageType === 'outgoing' && /\{[{%]/.test(content)) return 'Liquid would run it';
  if (messageType === 'outgoing' && sourceId !== undefined) return 'Chatwoot would not send it on';
  if (contentType === 'input_select' && !contentAttributes.items?.every(({ title, value }) => title !== '' && value !== '')) return 'a choice needs titles and values';
  return undefined;
};
