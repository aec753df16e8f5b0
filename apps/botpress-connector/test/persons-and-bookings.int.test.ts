import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ChatbotConfig, ConnectionWithSecrets } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { startHub, type Hub, type HubProcess, type Talk } from './start-hub.ts';

const [acme, globex] = testTenants;
const timeoutMs = 20_000;
/** Nobody is there, at any time. */
const closed = { timezone: 'Europe/Berlin', hours: [], closedMessage: 'We are closed.' };

let hub: Hub;
let bus: HubProcess;
let connection: ConnectionWithSecrets;
let talk: Talk;

beforeAll(async () => {
  hub = await startHub();
}, 60_000);
afterAll(async () => {
  await hub?.stop();
});
beforeEach(() => {
  hub.botpress.turns.length = 0;
  connection = hub.connect(acme);
  talk = hub.talk(connection);
});

async function setUp(config: Partial<ChatbotConfig>): Promise<void> {
  await hub.setUp(acme, { allowedActions: ['booking'], ...config });
  bus = await hub.startProcess();
}

const asked = () => hub.botpress.turns.map(({ payload }) => payload['text']);
const contents = () => bus.heard().flatMap(({ content }) => content ?? []);

describe('a person', () => {
  it('is asked for by the words of the chatbot\'s language, where the tenant has named none', async () => {
    await setUp({ language: 'de-AT', escalationRules: { agentId: '7', keywords: [] } });
    await bus.handle(hub.written(talk, 'Agenten sind nicht gemeint'));
    await bus.handle(hub.written(talk, 'Ich will mit JEMANDEM sprechen!'));
    expect(asked()).toEqual(['Agenten sind nicht gemeint']);
    expect(contents()).toMatchObject([{ kind: 'handoff', reason: 'keyword: jemandem sprechen', assignment: { agentId: '7' } }]);
  });

  it('is asked for by the tenant\'s own words alone, where it has named some', async () => {
    await setUp({ escalationRules: { keywords: ['landlord'] } });
    await bus.handle(hub.written(talk, 'I am an agent'));
    await bus.handle(hub.written(talk, 'the landlord, please'));
    expect(asked()).toEqual(['I am an agent']);
    expect(contents()).toMatchObject([{ kind: 'handoff', reason: 'keyword: landlord' }]);
  });

  it('who is not there is asked for once by a bot that stays silent, not with each turn that follows', async () => {
    await setUp({ fallbackMessage: 'One moment please.', businessHours: closed });
    const said = async (text: string) => {
      await bus.handle(hub.written(talk, text));
      hub.clock.now += timeoutMs;
      for (const check of bus.checks()) await bus.handle(check);
    };
    for (const text of ['one', 'two', 'three']) await said(text);
    expect(bus.said(talk)).toEqual(['One moment please.', 'One moment please.', 'We are closed.', 'One moment please.']);
  });
});

describe('a booking', () => {
  const wish = (fields: object) => hub.signalled(talk, { type: 'booking', ...fields }, 'event_created');
  const inDays = (days: number) => new Date(Math.ceil(hub.clock.now / 3_600_000) * 3_600_000 + days * 86_400_000).toISOString();

  it('without a time is one however often the bot asks for it', async () => {
    await setUp({});
    await bus.handle(wish({ name: 'Maria K.' }));
    hub.clock.now += 1_000;
    await bus.handle(wish({ name: 'Maria Klein' }));
    expect(await hub.rows(acme, 'select from bookings where conversation_id = $1', [talk.conversationId])).toHaveLength(1);
    expect(await hub.rows(globex, 'select from bookings')).toEqual([]);
  });

  it('of a time at which nobody is there, and no other can be offered, is not noted, and is not said to be', async () => {
    await setUp({ businessHours: closed });
    await bus.handle(wish({ startsAt: inDays(1) }));
    await bus.handle(wish({}));
    expect(bus.said(talk)).toEqual(['This time is not available.', 'Your booking is noted. We will get back to you with a time.']);
    expect(await hub.rows<{ starts_at: Date | null }>(acme, 'select starts_at from bookings where conversation_id = $1', [talk.conversationId])).toEqual([{ starts_at: null }]);
  });

  it('offers times within the hours alone, as clocks there show them, each to be chosen as it is to be booked', async () => {
    await setUp({ language: 'de', businessHours: { timezone: 'Europe/Berlin', hours: [{ day: 'mon-sun', from: '10:00', to: '11:00' }] } });
    await bus.handle(wish({ durationMinutes: 60 }));
    const [offer] = contents();
    if (offer?.kind !== 'choice') throw new Error('nothing is offered');
    expect(offer.options).toHaveLength(5);
    for (const { id, title } of offer.options) {
      expect(new Intl.DateTimeFormat('de', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' }).format(new Date(id))).toBe('10:00');
      expect(title).toContain('10:00');
    }
    await bus.handle(wish({ startsAt: offer.options[0]?.id, durationMinutes: 60 }));
    expect(bus.said(talk).at(-1)).toContain(`Ihr Termin ist notiert: ${offer.options[0]?.title}`);
  });
});
