import { describe, expect, it } from '@jest/globals';
import { newId, type MessageContent, type MessageKind, type MessageSend } from '@switchboard/contracts';
import * as fc from 'fast-check';
import type { ConnectorDefinition, RenderedPart } from '../port.ts';
import { arbitraryContent, messageKinds } from './arbitrary-content.ts';
import { publicConnectionOf, type ConformanceFixtures } from './fixtures.ts';

export function describeRendering(definition: ConnectorDefinition, fixtures: ConformanceFixtures): void {
  const { contactAddress, findBrokenLimit } = fixtures;
  const connection = publicConnectionOf(definition, fixtures);
  describe('rendering', () => {
    it.each(messageKinds)('gives %s a form within the limits, a reason, or nothing to do', (kind: MessageKind) => {
      fc.assert(
        fc.property(arbitraryContent(kind), fc.option(fc.string({ minLength: 1, maxLength: 30 }), { nil: undefined }), (content, replyTo) => {
          const command = commandOf(content, contactAddress, replyTo);
          const rendered = definition.renderMessage(command, connection);
          expect(definition.renderMessage(command, connection)).toEqual(rendered);
          expect(rendered.kind === 'impossible' ? rendered.error.message : 'a reason in a sentence').toMatch(/\w+ \w+/);
          expectSendable(rendered.kind === 'parts' ? rendered.parts : []);
        }),
        { numRuns: kind === 'choice' ? 400 : 60 },
      );
    });

    it('has no part for white space alone, which no provider takes', () => {
      for (const text of [' ', '\n\t ', '\u00a0'.repeat(5_000)]) {
        const rendered = definition.renderMessage(commandOf({ kind: 'text', text }, contactAddress), connection);
        // "Nothing" would leave the message queued for ever.
        expect(rendered.kind === 'parts' ? rendered.parts : rendered.kind).toEqual(rendered.kind === 'parts' ? [] : 'impossible');
      }
    });
  });

  function expectSendable(parts: readonly RenderedPart[]): void {
    for (const part of parts) {
      expect(findBrokenLimit(part.body)).toBeUndefined();
      // It is stored as JSON with the claim, and must come back as it was.
      expect(JSON.parse(JSON.stringify(part.body))).toEqual(stripUndefined(part.body));
    }
  }
}

export function commandOf(content: MessageContent, address: string, replyToProviderMessageId?: string): MessageSend {
  return {
    messageId: newId('msg'),
    conversationId: newId('cnv'),
    connectionId: newId('con'),
    contact: { address, aliases: {} },
    author: 'agent',
    content,
    replyToProviderMessageId,
    attributes: {},
    sentAt: '2026-11-21T12:00:00.000Z',
  };
}

function stripUndefined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripUndefined);
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? 0 : value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, field]) => (field === undefined ? [] : [[name, stripUndefined(field)]])));
}
