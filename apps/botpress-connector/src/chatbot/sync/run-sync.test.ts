import { describe, expect, it } from '@jest/globals';
import { newId, type ChatbotConfig, type ConnectionWithSecrets } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { createRunSync } from './run-sync.ts';

const [acme] = testTenants;
const config: ChatbotConfig = { botName: 'Anna', language: 'en', enableHumanHandoff: true, allowedActions: [] };

function bot(botId: string, more: Partial<ConnectionWithSecrets> = {}): ConnectionWithSecrets {
  return { tenantId: acme, connectionId: newId('con'), provider: 'botpress', role: 'bot', status: 'active', version: 1, routingIdentifiers: {}, settings: { kind: 'cloud', botId }, credentials: { accessToken: 'bak-1' }, ...more };
}

/** To which of the tenant's bots a chatbot is pushed; `routed` is the one that conversations go to. */
async function pushedTo(bots: readonly ConnectionWithSecrets[], { botpressBotId, routed }: { readonly botpressBotId?: string; readonly routed?: ConnectionWithSecrets } = {}): Promise<string[]> {
  const pushed: string[] = [];
  const routes = routed === undefined ? [] : [{ channelConnectionId: newId('con'), botConnectionId: routed.connectionId, deskConnectionId: null, startsWith: 'bot', settings: {} }];
  // The cast is safe: one contract is called, and this is its reply as far as it is read.
  const callRoute = (async () => ({ routes, connections: bots })) as unknown as CallRoute;
  const run = createRunSync({
    chatbotStore: { find: async () => ({ version: 1, config: { ...config, ...(botpressBotId === undefined ? {} : { botpressBotId }) }, knowledgeBase: [], updatedAt: new Date(0) }) },
    callRoute,
    tools: {
      connections: { load: async (id) => bots.find(({ connectionId }) => connectionId === id) ?? bot('none'), loadToken: () => Promise.reject(new Error('bots have none')), drop: () => undefined },
      runClient: async (connection) => {
        pushed.push(connection.settings['botId'] ?? '');
        return undefined as never; // nobody reads what a push gives back
      },
    },
  });
  await runAsTenant(acme, () => run({ note: async () => undefined, sleep: async () => undefined }));
  return pushed;
}

describe('a chatbot of a tenant with several bots', () => {
  it('goes to the one that it names', async () => {
    const [first, second, third] = [bot('first'), bot('second'), bot('third')];
    expect(await pushedTo([first, second, third], { botpressBotId: 'third', routed: second })).toEqual(['third']);
  });

  it('goes to the one that has the conversations, where it names none or one that is not there', async () => {
    const [first, second] = [bot('first'), bot('second')];
    expect(await pushedTo([first, second], { routed: second })).toEqual(['second']);
    expect(await pushedTo([first, second], { routed: second, botpressBotId: 'another' })).toEqual(['second']);
    expect(await pushedTo([first, second])).toEqual(['first']);
  });

  it('goes to none that is switched off', async () => {
    expect(await pushedTo([bot('off', { status: 'disabled' }), bot('on')], { botpressBotId: 'off' })).toEqual(['on']);
  });
});
