import { describe, expect, it } from '@jest/globals';
import { isHubError } from '@switchboard/contracts';
import type { EgressRequest } from '@switchboard/service-kit';
import * as fc from 'fast-check';
import type { ConnectorDefinition, Rendered, RenderedPart } from '../port.ts';
import { arbitraryContent, messageKinds } from './arbitrary-content.ts';
import { commandOf } from './describe-rendering.ts';
import { publicConnectionOf, renderedMessageId, type ConformanceFixtures, type RenderingFixture } from './fixtures.ts';
import { standInClientContext } from './stand-in-client-context.ts';

/** What goes out, word for word: the form of every kind, the request with its address and credentials, and who never sees the token. */
export function describeOutbound(definition: ConnectorDefinition, fixtures: ConformanceFixtures): void {
  const { contactAddress, accepted, renderings, silentKinds, calls, authorizationsTried, files } = fixtures;
  const connection = publicConnectionOf(definition, fixtures);
  const authorizationOf = ({ headers }: EgressRequest) => headers?.[fixtures.authorizationHeader ?? 'authorization'];

  const render = ({ content, command }: Pick<RenderingFixture, 'content' | 'command'>): Rendered =>
    definition.renderMessage({ ...commandOf(content, contactAddress), messageId: renderedMessageId, ...fixtures.command, ...command }, connection);

  function onlyPartOf(content: RenderingFixture['content']): RenderedPart {
    const rendered = render({ content });
    const [part, ...more] = rendered.kind === 'parts' ? rendered.parts : [];
    if (part === undefined || more.length > 0) throw new Error('this message is not one part');
    return part;
  }

  describe('what goes out', () => {
    it('is written down for every kind of message', () => {
      expect(new Set(renderings.map(({ content }) => content.kind))).toEqual(new Set(messageKinds));
    });

    it.each(renderings.map((fixture) => [fixture.name, fixture] as const))('says %s as the provider has it', (_name, fixture) => {
      expect(saidBy(render(fixture))).toEqual(fixture.expected);
    });

    it.each(messageKinds.filter((kind) => !silentKinds.includes(kind)))('is never nothing for %s, which would be queued for ever', (kind) => {
      fc.assert(fc.property(arbitraryContent(kind), (content) => render({ content }).kind !== 'nothing'), { numRuns: 60 });
    });

    it.each(calls.map((fixture) => [fixture.name, fixture] as const))('goes to the account, with its token: %s', async (_name, { content, answers = [], expected }) => {
      const left = [...answers];
      const { context, requests } = standInClientContext(definition, fixtures, () => left.shift() ?? accepted);
      await definition.client.send(onlyPartOf(content), context);
      expect(await Promise.all(requests.map((request) => seen(request, authorizationOf(request))))).toEqual(expected);
    });

    it('is tried with a new token once, where there are any, when the provider refuses the first', async () => {
      const part = onlyPartOf({ kind: 'text', text: 'Good morning' });
      const refusing = standInClientContext(definition, fixtures, () => ({ status: 401, body: '' }));
      await expect(definition.client.send(part, refusing.context)).rejects.toMatchObject({ code: 'provider.unauthorized' });
      expect(refusing.requests.map(authorizationOf)).toEqual(authorizationsTried);
      expect(new Set(refusing.requests.map(({ url, body }) => JSON.stringify([url, body]))).size).toBe(1);

      const [first] = authorizationsTried;
      const renewing = standInClientContext(definition, fixtures, (request) => (authorizationOf(request) === first ? { status: 401, body: '' } : accepted));
      const outcome = await definition.client.send(part, renewing.context).catch((error: unknown) => error);
      expect(outcome).toMatchObject(authorizationsTried.length > 1 ? { providerMessageId: accepted.providerMessageId } : { code: 'provider.unauthorized' });
    });
  });

  describe('files of received messages', () => {
    /** A host that wants a token for the file at `url`. */
    async function fetchFrom(url: string) {
      const { media, answer } = files.named(url);
      const { context, requests } = standInClientContext(definition, fixtures, (request) => {
        if (request.url !== url) return answer ?? { status: 500, body: '' };
        return authorizationOf(request) === undefined ? { status: 401, body: '' } : { status: 200, body: Buffer.from('the file') };
      });
      const fetched = await definition.client.fetchMedia(media, context).catch((error: unknown) => error);
      return { fetched, ofFile: requests.filter((request) => request.url === url), requests };
    }

    if (files.ownUrls.length > 0) {
      it.each(files.ownUrls)('are fetched with the token from %s', async (url) => {
        const { fetched, ofFile } = await fetchFrom(url);
        expect(fetched).toMatchObject({ bytes: Buffer.from('the file') });
        expect(authorizationsTried).toContain(ofFile.map(authorizationOf).at(-1));
      });
    }

    it.each(files.foreignUrls)('do not bring the token to %s', async (url) => {
      const { fetched, ofFile } = await fetchFrom(url);
      expect(ofFile.map(authorizationOf).filter((authorization) => authorization !== undefined)).toEqual([]);
      expect(isHubError(fetched)).toBe(true);
    });
  });
}

/** As it comes back from its claim. */
function saidBy(rendered: Rendered): unknown {
  if (rendered.kind === 'parts') return JSON.parse(JSON.stringify(rendered.parts));
  return rendered.kind === 'nothing' ? 'nothing' : { impossible: rendered.error.code };
}

async function seen(request: EgressRequest, authorization: string | undefined) {
  return { method: request.method, url: request.url, authorization, body: await readable(request) };
}

/** JSON as it means, a form by its fields. */
async function readable({ body, headers }: EgressRequest): Promise<unknown> {
  if (typeof body === 'string') return headers?.['content-type'] === 'application/x-www-form-urlencoded' ? Object.fromEntries(new URLSearchParams(body)) : JSON.parse(body);
  if (!(body instanceof FormData)) return body;
  const fields = await Promise.all([...body].map(async ([name, value]): Promise<[string, unknown]> => [name, typeof value === 'string' ? value : { fileName: value.name, type: value.type, text: await value.text() }]));
  return Object.fromEntries(fields);
}
