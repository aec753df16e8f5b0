import { describe, expect, it } from '@jest/globals';
import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import type { ConnectorDefinition, RenderedPart } from '../port.ts';
import { commandOf } from './describe-rendering.ts';
import { publicConnectionOf, type ConformanceFixtures } from './fixtures.ts';
import { standInClientContext } from './stand-in-client-context.ts';

export function describeClient(definition: ConnectorDefinition, fixtures: ConformanceFixtures): void {
  const { accepted, refusals, connection, contactAddress } = fixtures;

  function textPart(): RenderedPart {
    const rendered = definition.renderMessage(commandOf({ kind: 'text', text: 'Good morning' }, contactAddress), publicConnectionOf(definition, fixtures));
    const [part] = rendered.kind === 'parts' ? rendered.parts : [];
    if (part === undefined) throw new Error('a text has no form at this provider');
    return part;
  }

  async function failureOf(answer: Parameters<typeof standInClientContext>[2]): Promise<HubError> {
    const { context } = standInClientContext(definition, fixtures, answer);
    const failure: unknown = await definition.client.send(textPart(), context).then(
      (delivered) => expect(delivered).toBe('refused'),
      (error: unknown) => error,
    );
    if (!isHubError(failure)) throw failure;
    return failure;
  }

  describe('the client', () => {
    it('tells the provider\'s id of a message that was taken', async () => {
      const { context, requests } = standInClientContext(definition, fixtures, () => accepted);
      const delivered = await definition.client.send(textPart(), context);
      expect(delivered.providerMessageId).toBe(accepted.providerMessageId);
      expect(requests.length).toBeGreaterThan(0);
    });

    it('sends the same bytes for the same part', async () => {
      const { context, requests } = standInClientContext(definition, fixtures, () => accepted);
      const part = textPart();
      // As it comes back from its claim.
      const stored = JSON.parse(JSON.stringify(part)) as RenderedPart;
      await definition.client.send(part, context);
      await definition.client.send(stored, context);
      expect(requests.slice(requests.length / 2)).toEqual(requests.slice(0, requests.length / 2));
    });

    it.each(refusals.map((refusal) => [refusal.name, refusal] as const))('knows the fate after %s', async (_name, refusal) => {
      const failure = await failureOf(() => refusal);
      expect({ code: failure.code, retry: failure.retry, scope: failure.detail['scope'] }).toEqual({ code: refusal.code, retry: refusal.retry, scope: refusal.scope });
      expect(failure.publicMessage.length).toBeGreaterThan(20);
    });

    it('says that the provider may have a message whose answer was lost, and only then', async () => {
      const lost = await failureOf(() => {
        throw hubError('egress.failed', { detail: { sent: true } });
      });
      const refused = await failureOf(() => {
        throw hubError('egress.failed', { detail: { sent: false } });
      });
      expect(lost.detail['sent']).toBe(true);
      expect(lost.retry).not.toBe('never');
      expect(refused.detail['sent']).not.toBe(true);
    });

    it('shows no secret in what it says of a failure', async () => {
      for (const refusal of refusals) {
        const failure = await failureOf(() => refusal);
        const said = JSON.stringify([failure.message, failure.publicMessage, failure.detail]);
        for (const secret of Object.values(connection.credentials)) expect(said).not.toContain(secret);
      }
    });
  });
}
