import { describe, expect, it } from '@jest/globals';
import { eventCatalogue, newId } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { isSaid, toInboundPayload } from '../consumers/to-inbound-payload.ts';
import type { ConnectorDefinition, InboundEvent } from '../port.ts';
import { arbitraryMutation } from './arbitrary-mutation.ts';
import { publicConnectionOf, webhookOf, type ConformanceFixtures } from './fixtures.ts';

export function describeParsing(definition: ConnectorDefinition, fixtures: ConformanceFixtures): void {
  const { webhooks } = fixtures;
  const connection = publicConnectionOf(definition, fixtures);
  const parse = (body: unknown) => definition.parseWebhook(webhookOf(body), connection);

  describe('parsing', () => {
    it.each(webhooks.map((fixture) => [fixture.name, fixture] as const))('reads %s', (_name, fixture) => {
      expect(fixture.source).not.toBe('');
      expect(fixture.docs).not.toBe('');
      const events = parse(fixture.body);
      expect(JSON.parse(JSON.stringify(events))).toEqual(fixture.expected);
      for (const event of events) expectPublishable(event);
    });

    it('never throws on any text', () => {
      fc.assert(fc.property(fc.string(), (body) => void parse(body)));
    });

    it('never throws on any JSON', () => {
      fc.assert(fc.property(fc.jsonValue(), (body) => void parse(body)));
    });

    it('says of a changed webhook nothing that the catalogue would refuse, and the same each time', () => {
      const mutated = fc.constantFrom(...webhooks).chain(({ body }) => arbitraryMutation(body));
      fc.assert(
        fc.property(mutated, (body) => {
          const events = parse(body);
          expect(parse(body)).toEqual(events);
          for (const event of events) expectPublishable(event);
        }),
        { numRuns: 500 },
      );
    });
  });

  function expectPublishable(event: InboundEvent): void {
    if (!isSaid(event)) return;
    const origin = { connectionId: newId('con'), provider: definition.provider, role: connection.role } as const;
    const { type, payload } = toInboundPayload(event, origin);
    eventCatalogue[type].schema.parse(payload);
  }
}
