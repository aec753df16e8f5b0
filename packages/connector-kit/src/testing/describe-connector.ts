import { describe } from '@jest/globals';
import type { ConnectorDefinition } from '../port.ts';
import { describeClient } from './describe-client.ts';
import { describeOutbound } from './describe-outbound.ts';
import { describeParsing } from './describe-parsing.ts';
import { describeRendering } from './describe-rendering.ts';
import type { ConformanceFixtures } from './fixtures.ts';

/** What every connector must keep, whatever its provider. No network: the other side is a function. */
export function describeConnector(definition: ConnectorDefinition, fixtures: ConformanceFixtures): void {
  describe(`the connector of ${definition.provider}`, () => {
    describeParsing(definition, fixtures);
    describeRendering(definition, fixtures);
    describeOutbound(definition, fixtures);
    describeClient(definition, fixtures);
  });
}
