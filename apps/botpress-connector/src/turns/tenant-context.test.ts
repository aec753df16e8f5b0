import { describe, expect, it } from '@jest/globals';
import type { ChatbotConfig } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { commandOf } from '@switchboard/connector-kit/testing';
import { makeTenantContext, readTenantContext, tenantContextBytesMax, withTenantContext } from './tenant-context.ts';

const config = (more: Partial<ChatbotConfig> = {}): ChatbotConfig => ({ botName: 'Max', language: 'de', enableHumanHandoff: true, allowedActions: ['handoff'], ...more });
const entry = (question: string, answer: string) => ({ question, answer, tags: [] });

describe('what a bot is told of its tenant', () => {
  it('is the tenant alone where there is no chatbot', () => {
    expect(makeTenantContext('acme', 'hi', 'whatsapp', undefined)).toEqual({ tenantId: 'acme', channel: 'whatsapp' });
  });

  it('is what the question is about', () => {
    const knowledgeBase = [entry('Opening hours', 'Nine to five.'), entry('Shipping costs', 'Five euros.')];
    const context = makeTenantContext('acme', 'what does shipping cost', undefined, { version: 1, config: config({ systemPrompt: 'Be kind.' }), knowledgeBase });
    expect(context).toEqual({ tenantId: 'acme', locale: 'de', botName: 'Max', allowedActions: ['handoff'], systemPrompt: 'Be kind.', knowledge: [{ question: 'Shipping costs', answer: 'Five euros.' }] });
  });

  it('stays within its bytes and comes through a command as it was, however long prompt and knowledge are', () => {
    const long = fc.string({ unit: 'grapheme', maxLength: 40 }).chain((unit) => fc.nat(800).map((times) => unit.repeat(times).slice(0, 16_384)));
    fc.assert(
      fc.property(long, fc.array(fc.tuple(long, long), { maxLength: 5 }), (systemPrompt, entries) => {
        const context = makeTenantContext('acme', 'shipping', 'whatsapp', { version: 1, config: config({ systemPrompt }), knowledgeBase: entries.map(([question, answer]) => entry(question, answer)) });
        expect(Buffer.byteLength(JSON.stringify(context))).toBeLessThanOrEqual(tenantContextBytesMax);
        const command = withTenantContext(commandOf({ kind: 'text', text: 'hi' }, '1'), context, false);
        expect(readTenantContext(command.attributes)).toEqual(JSON.parse(JSON.stringify(context)));
      }),
      { numRuns: 60 },
    );
  });

  it('is nothing where an attribute holds something else', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.json()), (tenantContext) => expect(typeof readTenantContext({ tenantContext })).toBe('object')));
  });
});
