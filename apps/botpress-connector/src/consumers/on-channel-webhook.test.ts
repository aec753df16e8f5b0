import { describe, expect, it } from '@jest/globals';
import { hubError, newId, type ConnectionId, type Envelope, type TenantId, type TenantRouting } from '@switchboard/contracts';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { onChannelWebhook, type WarmingParts } from './on-channel-webhook.ts';

const [acme, globex] = testTenants;

/** Tenants of one channel each, which leads to a bot of its own or to none. */
function setUp(bots: ReadonlyMap<TenantId, { readonly channel: ConnectionId; readonly bot: ConnectionId | null }>) {
  const asked: string[] = [];
  const note = (what: string) => void asked.push(`${currentTenant()}: ${what}`);
  const state = { isAway: false };
  const parts: WarmingParts = {
    chatbots: {
      async current() {
        note('chatbot');
        if (state.isAway) throw hubError('storage.unavailable');
        return undefined;
      },
    },
    connections: {
      async load(connectionId) {
        note(connectionId);
        throw hubError('connection.not_found');
      },
    },
    // The cast is safe: this consumer calls one route.
    callRoute: (async () => {
      note('routes');
      if (state.isAway) throw hubError('service.unavailable');
      const own = bots.get(currentTenant());
      const routes: TenantRouting['routes'] = own === undefined ? [] : [{ channelConnectionId: own.channel, botConnectionId: own.bot, deskConnectionId: null, startsWith: own.bot === null ? 'none' : 'bot', settings: {} }];
      return { version: 1, timeZone: 'UTC', plan: 'starter', routes, connections: [] };
    }) as unknown as WarmingParts['callRoute'],
  };
  const consumer = onChannelWebhook(parts, 'botpress-connector');
  const webhook = (tenantId: TenantId, connectionId: ConnectionId) =>
    runAsTenant(tenantId, () => consumer.handle({ payload: { connectionId } } as unknown as Envelope, { attempt: 1, signal: new AbortController().signal, commit: async (effect) => effect() })); // all of it that is read
  return { asked, state, webhook };
}

describe('a webhook of a channel', () => {
  it("has the chatbot and the bot of its own tenant fetched, and of no other; which bot it is is asked once", async () => {
    const places = new Map([acme, globex].map((tenantId) => [tenantId, { channel: newId('con'), bot: newId('con') }]));
    const { asked, webhook } = setUp(places);
    const [mine, theirs] = [places.get(acme)!, places.get(globex)!];
    await webhook(acme, mine.channel);
    await webhook(acme, mine.channel);
    expect(asked.toSorted()).toEqual([`${acme}: chatbot`, `${acme}: chatbot`, `${acme}: routes`, `${acme}: ${mine.bot}`, `${acme}: ${mine.bot}`].toSorted());
    await webhook(globex, theirs.channel);
    expect(asked.filter((line) => line.startsWith(globex)).toSorted()).toEqual([`${globex}: chatbot`, `${globex}: routes`, `${globex}: ${theirs.bot}`].toSorted());
  });

  it('fetches no connection where no bot answers', async () => {
    const channel = newId('con');
    const { asked, webhook } = setUp(new Map([[acme, { channel, bot: null }]]));
    await webhook(acme, channel);
    expect(asked.toSorted()).toEqual([`${acme}: chatbot`, `${acme}: routes`]);
  });

  it('is done with when nothing can be fetched, and asks again with the next one', async () => {
    const place = { channel: newId('con'), bot: newId('con') };
    const { asked, state, webhook } = setUp(new Map([[acme, place]]));
    state.isAway = true;
    await webhook(acme, place.channel);
    state.isAway = false;
    await webhook(acme, place.channel);
    expect(asked).toContain(`${acme}: ${place.bot}`);
  });
});
