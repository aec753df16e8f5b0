import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isHubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { startHub, type Hub, type HubProcess, type Talk } from './start-hub.ts';

const [acme, globex] = testTenants;
const timeoutMs = 20_000;
/** Nobody is there, at any time. */
const closed = { timezone: 'Europe/Berlin', hours: [], closedMessage: 'We are closed.' };
const fallbackMessage = 'One moment please.';

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
beforeEach(async () => {
  Object.assign(hub.botpress, { answer: undefined, converse: () => [], thinkMs: 0, together: 0, togetherOfAll: 0 });
  hub.botpress.turns.length = 0;
  hub.botpress.requests.length = 0;
  bus = await hub.startProcess();
  connection = hub.connect(acme);
  talk = hub.talk(connection);
  await hub.setUp(acme, { welcomeMessage: 'Welcome!', fallbackMessage, allowedActions: ['handoff', 'lead_capture', 'booking'], escalationRules: { agentId: '7', keywords: ['agent'], labels: ['vip'] } });
});

/** Every look whether a bot has answered, as the bus would bring it when it is due. */
async function lookAgain(process: HubProcess = bus): Promise<void> {
  for (const check of process.checks()) await process.handle(check);
}

const kinds = () => bus.heard().filter(({ conversationId, type }) => conversationId === talk.conversationId && type === 'message.received').map(({ content }) => content);
const texts = () => hub.botpress.turns.filter(({ fid }) => fid === talk.fid).map(({ payload }) => payload['text']);

describe('a turn', () => {
  it('welcomes the contact once, before the bot is asked, however often message and process are repeated', async () => {
    const first = hub.written(talk, 'hello');
    await expect(bus.handle(first, { dies: true })).rejects.toThrow('killed');
    const restarted = await hub.startProcess();
    await restarted.handle(first, { attempt: 2 });
    await restarted.handle(hub.written(talk, 'still there?'));
    expect([...bus.said(talk), ...restarted.said(talk)]).toEqual(['Welcome!']);
    expect(bus.published[0]?.type).toBe('message.received');
    expect(texts()).toEqual(['hello', 'still there?']);
  });

  it('goes to the same user and conversation at Botpress for ever, which are made once', async () => {
    await bus.handle(hub.written(talk, 'one'));
    await bus.handle(hub.changed(talk, 'none', 'closed'));
    await bus.handle(hub.written(talk, 'two'));
    expect(new Set(hub.botpress.turns.map(({ fid }) => fid))).toEqual(new Set([talk.fid]));
    expect(hub.botpress.requests.map(({ path }) => path.split('/').slice(3).join('/'))).toEqual(['users/get-or-create', 'conversations/get-or-create', 'messages', 'messages']);
  });

  it('is brought to another bot that knows nothing of the conversation', async () => {
    await bus.handle(hub.written(talk, 'one'));
    hub.connections.set(connection.connectionId, { ...connection, settings: { ...connection.settings, webhookId: 'the-new-bot' } });
    const process = await hub.startProcess();
    await process.handle(hub.written(talk, 'two'));
    expect(hub.botpress.turns.map(({ bot, payload }) => [bot, payload['text']])).toEqual([['shared-bot', 'one'], ['the-new-bot', 'two']]);
  });

  it('whose answer was lost is looked for, and not given to the bot twice', async () => {
    const message = hub.written(talk, 'once');
    hub.botpress.answer = ({ path, method }) => (method === 'POST' && path.endsWith('/messages') ? { cut: 'taken' } : undefined);
    await bus.handle(message);
    expect(texts()).toEqual(['once']);
    expect(bus.heard().at(-1)?.payload).toMatchObject({ status: 'sent', providerMessageId: expect.stringContaining('msg-of-') });
  });

  it('that was being sent when the process died is looked for first', async () => {
    const message = hub.written(talk, 'once');
    await expect(bus.handle(message, { dies: true })).rejects.toThrow('killed');
    const restarted = await hub.startProcess();
    await restarted.handle(message, { attempt: 2 });
    expect(texts()).toEqual(['once']);
    expect(restarted.heard().at(-1)?.payload).toMatchObject({ status: 'sent' });
  });

  it('is given to the bot once although another process has it too, while the bot is still taking it', async () => {
    const message = hub.written(talk, 'once');
    const other = await hub.startProcess();
    let isAsked = false;
    let goOn: () => void = () => undefined;
    const until = new Promise<void>((resolve) => { goOn = resolve; });
    hub.botpress.answer = ({ path, method }) => {
      if (method !== 'POST' || !path.endsWith('/messages') || isAsked) return undefined;
      isAsked = true;
      return { slow: until };
    };
    const first = bus.handle(message);
    while (!isAsked) await new Promise((resolve) => setTimeout(resolve, 10));
    await other.handle(message, { attempt: 2 }).catch(() => undefined);
    goOn();
    await first;
    await other.handle(message, { attempt: 3 });
    expect(texts()).toEqual(['once']);
  });

  it('is a plain one without a chatbot: no welcome, no look, nothing but the message', async () => {
    const other = hub.talk(hub.connect(globex));
    hub.botpress.answer = undefined;
    await bus.handle(hub.written(other, 'I want an agent'));
    expect(bus.published.map(({ type }) => type)).toEqual(['message.status']);
    expect(hub.botpress.turns.at(-1)).toMatchObject({ payload: { text: 'I want an agent' }, metadata: { tenantContext: { tenantId: globex, channel: 'whatsapp' } } });
    await bus.handle(hub.signalled(other, { type: 'handoff', reason: 'asked' }, 'event_created'));
    expect(bus.heard().at(-1)?.content).toEqual({ kind: 'handoff', to: 'desk', reason: 'asked' });
  });
});

describe('a bot that does not answer', () => {
  it('is waited for, without a try of the look being counted', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    const [check] = bus.checks();
    if (check === undefined) throw new Error('nobody looks');
    const failure: unknown = await bus.handle(check).catch((error: unknown) => error);
    expect(isHubError(failure) && failure.retry).toEqual({ afterMs: timeoutMs, counted: false, planned: true });
    // Nothing of the conversation itself waits behind it.
    expect(check.orderingKey).not.toBe(talk.conversationId);
  });

  it('is spoken for once, and what it says late still goes out', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    hub.clock.now += timeoutMs;
    await lookAgain();
    await lookAgain();
    await bus.handle(hub.signalled(talk, { type: 'text', text: 'late' }));
    expect(bus.said(talk)).toEqual(['Welcome!', fallbackMessage, 'late']);
  });

  it('is not silent when it has answered and its webhooks did not come: its words are fetched, and heard once', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    hub.clock.now += timeoutMs;
    const createdAt = new Date(hub.clock.now - 1_000).toISOString();
    const said = [{ type: 'lead_capture', name: 'nobody' }, { type: 'image', imageUrl: 'https://x.example/i.png' }, { type: 'text', text: 'hi' }];
    hub.botpress.answered.push(...said.map((payload, index) => ({ id: `answer-${index}`, fid: talk.fid, createdAt, payload })));
    await lookAgain();
    await lookAgain();
    const missed = bus.heard().filter(({ payload }) => String(payload['providerMessageId']).startsWith('answer-'));
    expect(missed.map(({ payload, content }) => [payload['providerMessageId'], content])).toEqual([
      ['answer-2', { kind: 'text', text: 'hi' }],
      ['answer-1', { kind: 'image', media: { url: 'https://x.example/i.png', mimeType: 'image/jpeg' } }],
    ]);
    expect(bus.said(talk)).toEqual(['Welcome!', 'hi', 'image']);
  });

  it('is heard once although its webhook comes after its words were fetched, whatever it asked for in between', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    hub.clock.now += timeoutMs;
    const payload = { type: 'bloc', items: [{ type: 'text', text: 'one' }, { type: 'lead_capture', name: 'nobody' }, { type: 'text', text: 'two' }] };
    hub.botpress.answered.push({ id: 'answer-0', fid: talk.fid, createdAt: new Date(hub.clock.now - 1_000).toISOString(), payload });
    await lookAgain();
    await bus.handle(hub.signalled(talk, payload, 'message_created', 'answer-0'));
    const heard = bus.heard().filter(({ payload: said }) => String(said['providerMessageId']).startsWith('answer-0'));
    expect(new Map(heard.map(({ payload: said, content }) => [said['providerMessageId'], content])).size).toBe(2);
  });

  it('is not spoken for when it has answered', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    await bus.handle(hub.signalled(talk, { type: 'text', text: 'hi' }));
    hub.clock.now += timeoutMs;
    await lookAgain();
    expect(bus.said(talk)).toEqual(['Welcome!', 'hi']);
  });

  it('twice in a row gives the conversation to the desk', async () => {
    for (const words of ['one', 'two']) {
      await bus.handle(hub.written(talk, words));
      hub.clock.now += timeoutMs;
      await lookAgain();
    }
    expect(bus.said(talk)).toEqual(['Welcome!', fallbackMessage, fallbackMessage, 'handoff']);
    expect(kinds().at(-1)).toMatchObject({ reason: 'bot_failure', assignment: { agentId: '7', labels: ['vip'] } });
  });

  it('because it is down is spoken for too, and is not asked about it when it is back', async () => {
    const message = hub.written(talk, 'hello?');
    hub.botpress.answer = () => ({ status: 500, body: { code: 500, type: 'Internal', message: 'down' } });
    await expect(bus.handle(message)).rejects.toMatchObject({ retry: 'later' });
    hub.clock.now += timeoutMs;
    await lookAgain();
    hub.botpress.answer = undefined;
    hub.clock.now += 3_600_000;
    await bus.handle(message, { attempt: 9 });
    expect(bus.said(talk)).toEqual(['Welcome!', fallbackMessage]);
    expect(texts()).toEqual([]);
    await bus.handle(hub.written(talk, 'and now?'));
    expect(texts()).toEqual(['and now?']);
  });

  it('because it refuses the message is spoken for at once', async () => {
    hub.botpress.answer = ({ path }) => (path.endsWith('/messages') ? { status: 200, body: { code: 400, type: 'InvalidPayload', message: 'no' } } : undefined);
    await bus.handle(hub.written(talk, 'hello'));
    expect(bus.said(talk)).toEqual(['Welcome!', fallbackMessage]);
    hub.clock.now += timeoutMs;
    await lookAgain();
    expect(bus.said(talk)).toHaveLength(2);
  });
});

describe('a person', () => {
  it('is asked for by a keyword, and the bot hears nothing of it and is silent from then', async () => {
    await bus.handle(hub.written(talk, 'I want an Ágent!'));
    expect(kinds()).toMatchObject([{ kind: 'text', text: 'Welcome!' }, { kind: 'handoff', to: 'desk', reason: 'keyword: agent', summary: expect.stringContaining('I want an Ágent!'), assignment: { agentId: '7', labels: ['vip'] } }]);
    hub.clock.now += 1;
    await bus.handle(hub.signalled(talk, { type: 'text', text: 'anything else?' }));
    await bus.handle(hub.written(talk, 'are you there?'));
    expect(bus.said(talk)).toHaveLength(2);
    expect(texts()).toEqual([]);
  });

  it('is asked for by the option that says so', async () => {
    await bus.handle(hub.written(talk, { kind: 'choice_reply', optionId: 'handoff', title: 'Talk to us' }));
    expect(kinds().at(-1)).toMatchObject({ kind: 'handoff', reason: 'contact_request' });
  });

  it('is asked for by the bot, whose words before that go out and whose words after it do not', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    const before = hub.signalled(talk, { type: 'text', text: 'I connect you' });
    hub.clock.now += 1;
    await bus.handle(hub.signalled(talk, { type: 'handoff', reason: 'asked_for_human', summary: 'Parcel 123 late' }, 'event_created'));
    hub.clock.now += 1;
    await bus.handle(before);
    await bus.handle(hub.signalled(talk, { type: 'text', text: 'still here' }));
    expect(bus.said(talk)).toEqual(['Welcome!', 'handoff', 'I connect you']);
    expect(kinds()[1]).toMatchObject({ reason: 'asked_for_human', summary: 'Parcel 123 late', assignment: { agentId: '7', labels: ['vip'] } });
  });

  it('who is done gives the conversation back: the bot is told, and asked again', async () => {
    await bus.handle(hub.written(talk, 'hello'));
    await bus.handle(hub.written(talk, 'agent'));
    hub.clock.now += 1_000;
    await bus.handle(hub.changed(talk, 'desk'));
    hub.clock.now += 3_600_000;
    await bus.handle(hub.changed(talk, 'bot'));
    expect(hub.botpress.requests.at(-1)).toMatchObject({ path: expect.stringMatching(/events$/), body: { conversationId: talk.fid, payload: { type: 'handoff_ended' } } });
    await bus.handle(hub.written(talk, 'thanks'));
    await bus.handle(hub.signalled(talk, { type: 'text', text: 'welcome back' }));
    expect(texts()).toEqual(['hello', 'thanks']);
    expect(bus.said(talk)).toEqual(['Welcome!', 'handoff', 'welcome back']);
  });

  it('who is not there is a lead and the configured words, once, and the bot goes on', async () => {
    await hub.setUp(acme, { businessHours: closed, escalationRules: { keywords: ['agent'] } });
    const process = await hub.startProcess();
    const message = hub.written(talk, 'agent');
    await expect(process.handle(message, { dies: true })).rejects.toThrow('killed');
    await process.handle(message, { attempt: 2 });
    await process.handle(hub.written(talk, 'agent!!'));
    await process.handle(hub.written(talk, 'then the bot'));
    expect(process.said(talk)).toEqual(['We are closed.', 'We are closed.']);
    const leads = process.heard().filter(({ type }) => type === 'lead.captured');
    expect(leads).toMatchObject([{ payload: { source: 'after_hours', contact: { name: 'Maria K.', phone: '4915112345678' }, conversationId: talk.conversationId } }]);
    expect(texts()).toEqual(['then the bot']);
  });

  it('whom no desk sends is a lead after a minute, and the bot goes on', async () => {
    await bus.handle(hub.written(talk, 'agent'));
    hub.clock.now += 60_000;
    await lookAgain();
    await lookAgain();
    await bus.handle(hub.written(talk, 'then the bot'));
    expect(bus.said(talk)).toEqual(['Welcome!', 'handoff', 'Nobody is here right now. We have noted that you want to talk to us and will get back to you.']);
    expect(bus.heard().filter(({ type }) => type === 'lead.captured')).toHaveLength(1);
    expect(texts()).toEqual(['then the bot']);
  });

  it('who has come is not waited for any more', async () => {
    await bus.handle(hub.written(talk, 'agent'));
    hub.clock.now += 1_000;
    await bus.handle(hub.changed(talk, 'desk'));
    hub.clock.now += 60_000;
    await lookAgain();
    expect(bus.said(talk)).toEqual(['Welcome!', 'handoff']);
  });

  it('is nobody where the tenant has switched handoff off', async () => {
    await hub.setUp(acme, { enableHumanHandoff: false, allowedActions: ['handoff'] });
    const process = await hub.startProcess();
    await process.handle(hub.written(talk, 'agent'));
    await process.handle(hub.signalled(talk, { type: 'handoff' }, 'event_created'));
    expect(process.said(talk)).toEqual([]);
    expect(texts()).toEqual(['agent']);
  });
});

describe('what a bot asks the hub to do', () => {
  it('is refused, logged and never done where the tenant does not allow it', async () => {
    await hub.setUp(acme, { allowedActions: ['booking'] });
    const process = await hub.startProcess();
    for (const type of ['lead_capture', 'handoff']) await process.handle(hub.signalled(talk, { type, name: 'Maria' }, 'event_created'));
    expect(process.heard().map(({ type, payload }) => [type, payload['action'], payload['facts']])).toEqual([
      ['audit.recorded', 'chatbot_action.refused', expect.objectContaining({ action: 'lead_capture' })],
      ['audit.recorded', 'chatbot_action.refused', expect.objectContaining({ action: 'handoff' })],
    ]);
  });

  it('is a lead, once however often the webhook comes', async () => {
    const webhook = hub.signalled(talk, { type: 'lead_capture', name: 'Maria K.', email: 'maria@example.test', size: 42 }, 'event_created');
    await bus.handle(webhook);
    await bus.handle(webhook);
    expect(bus.heard()).toMatchObject([{ type: 'lead.captured', payload: { source: 'chatbot', contact: { name: 'Maria K.', email: 'maria@example.test' }, attributes: { size: '42' } } }]);
  });

  it('is a booking: a time is noted once, a taken one is answered by the times there are', async () => {
    const startsAt = new Date(Math.ceil((hub.clock.now + 86_400_000) / 3_600_000) * 3_600_000).toISOString();
    const webhook = hub.signalled(talk, { type: 'booking', startsAt, name: 'Maria K.' }, 'event_created');
    await bus.handle(webhook);
    await bus.handle(webhook);
    await bus.handle(hub.signalled(hub.talk(connection), { type: 'booking', startsAt }, 'event_created'));
    await bus.handle(hub.signalled(talk, { type: 'booking' }, 'event_created'));
    const said = bus.heard().map(({ content }) => content);
    expect(said).toMatchObject([{ kind: 'text', text: expect.stringContaining('noted') }, { kind: 'choice', text: expect.stringContaining('not available') }, { kind: 'choice', text: 'Which of these times suits you?' }]);
    const rows = await hub.rows<{ starts_at: Date | null }>(acme, 'select starts_at from bookings where conversation_id = $1', [talk.conversationId]);
    expect(rows.map(({ starts_at }) => starts_at?.toISOString() ?? null).toSorted()).toEqual([startsAt, null]);
    expect(await hub.rows(globex, 'select from bookings')).toEqual([]);
  });
});
