import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionWithSecrets } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { startHub, type Hub, type HubProcess, type Talk } from './start-hub.ts';

const [acme, globex] = testTenants;

let hub: Hub;
let bus: HubProcess;
let connection: ConnectionWithSecrets;
let talk: Talk;

beforeAll(async () => {
  hub = await startHub();
  await hub.setUp(acme, { fallbackMessage: 'One moment.', allowedActions: ['handoff'], escalationRules: { keywords: ['agent'], labels: ['vip'] } });
}, 60_000);
afterAll(async () => {
  await hub?.stop();
});
beforeEach(async () => {
  Object.assign(hub.botpress, { answer: undefined, converse: () => [], thinkMs: 0, together: 0, togetherOfAll: 0 });
  hub.botpress.turns.length = 0;
  hub.botpress.requests.length = 0;
  bus = await hub.startProcess();
  connection = hub.connect(acme, 'v12', 'acme-support');
  talk = hub.talk(connection);
});

const logIns = () => hub.botpress.requests.filter(({ path }) => path.includes('/auth/login/')).length;

describe('a bot on a v12 server', () => {
  it('answers in its answer: each thing in its order, files by their address, and what it asks for done', async () => {
    hub.botpress.converse = () => [
      { type: 'typing', value: true },
      { type: 'text', text: 'Please give me your order number.', markdown: true },
      { type: 'single-choice', skill: 'choice', text: 'Or choose:', choices: [{ title: 'Track', value: 'track' }, { title: 'Talk to a person', value: 'handoff' }] },
      { type: 'image', image: '/api/v1/bots/acme-support/media/i.png', title: 'Label' },
      { type: 'custom', module: 'hub', component: 'handoff', reason: 'asked_for_human', summary: 'Parcel 123 late', priority: 'normal' },
    ];
    await bus.handle(hub.written(talk, 'hello'));
    expect(bus.heard().flatMap(({ content }) => content ?? [])).toEqual([
      { kind: 'text', text: 'Please give me your order number.' },
      { kind: 'choice', text: 'Or choose:', options: [{ id: 'track', title: 'Track' }, { id: 'handoff', title: 'Talk to a person' }] },
      { kind: 'image', media: { url: `${hub.botpress.url}/v12/api/v1/bots/acme-support/media/i.png`, mimeType: 'image/jpeg', caption: 'Label' } },
      { kind: 'handoff', to: 'desk', reason: 'asked_for_human', summary: 'Parcel 123 late', assignment: { labels: ['vip'] } },
    ]);
    const ids = bus.heard().filter(({ type }) => type === 'message.received').map(({ payload }) => payload['providerMessageId']);
    expect(new Set(ids).size).toBe(4);
    expect(hub.botpress.turns).toMatchObject([{ bot: 'acme-support', fid: talk.fid, metadata: { tenantContext: { tenantId: acme } } }]);
  });

  it('is logged in at once for many turns, and again when the server refuses the token', async () => {
    for (const words of ['one', 'two']) await bus.handle(hub.written(talk, words));
    expect(logIns()).toBe(1);
    hub.botpress.forgetLogIns();
    await bus.handle(hub.written(talk, 'three'));
    expect(logIns()).toBe(2);
    hub.clock.now += 2 * 3_600_000;
    await bus.handle(hub.written(talk, 'four'));
    expect(logIns()).toBe(3);
    expect(hub.botpress.turns.map(({ payload }) => payload['text'])).toEqual(['one', 'two', 'three', 'four']);
  });

  it('holds its messages while the log-in is refused', async () => {
    hub.connections.set(connection.connectionId, { ...connection, credentials: { password: 'wrong' } });
    await expect(bus.handle(hub.written(talk, 'hello'))).rejects.toMatchObject({ code: 'provider.unauthorized', retry: { counted: false } });
    expect(hub.botpress.turns).toEqual([]);
  });

  it('never has two requests of one contact, and works for others meanwhile', async () => {
    hub.botpress.thinkMs = 400;
    const other = hub.talk(connection);
    await Promise.all([...['a', 'b', 'c'].map((words) => bus.handle(hub.written(talk, words))), ...['d', 'e', 'f'].map((words) => bus.handle(hub.written(other, words)))]);
    expect(hub.botpress.together).toBe(1);
    expect(hub.botpress.turns).toHaveLength(6);
    expect(hub.botpress.togetherOfAll).toBe(2);
  });

  it('gets a turn that timed out no second time, and the contact a fallback', async () => {
    const message = hub.written(talk, 'slow');
    hub.botpress.answer = ({ path }) => (path.includes('/converse/') ? { status: 400, body: { statusCode: 400, message: 'Request timed out.' } } : undefined);
    await bus.handle(message);
    expect(hub.botpress.requests.filter(({ path }) => path.includes('/converse/'))).toHaveLength(1);
    expect(bus.heard().find(({ type }) => type === 'message.status')?.payload).toMatchObject({ status: 'failed', error: { code: 'delivery.outcome_unknown' } });
    expect(bus.said(talk)).toEqual(['One moment.']);
  });

  it('gets a turn whose answer was lost with the process no second time', async () => {
    const message = hub.written(talk, 'once');
    await expect(bus.handle(message, { dies: true })).rejects.toThrow('killed');
    const restarted = await hub.startProcess();
    await restarted.handle(message, { attempt: 2 });
    expect(hub.botpress.turns).toHaveLength(1);
    expect(restarted.said(talk)).toEqual(['One moment.']);
  });

  it('that says nothing has failed nobody', async () => {
    hub.botpress.answer = ({ path }) => (path.includes('/converse/') ? { status: 400, body: { statusCode: 400, message: 'No responses found for event target' } } : undefined);
    await bus.handle(hub.written(talk, 'hello'));
    expect(bus.heard().find(({ type }) => type === 'message.status')?.payload).toMatchObject({ status: 'delivered' });
    expect(bus.said(talk)).toEqual([]);
  });

  it('reads as much of a long text as the server takes, and clicks as postbacks', async () => {
    await bus.handle(hub.written(talk, 'word '.repeat(200)));
    await bus.handle(hub.written(talk, { kind: 'choice_reply', optionId: 'track', title: 'Track' }));
    const [long, click] = hub.botpress.turns.map(({ payload }) => payload);
    expect(String(long?.['text']).length).toBeLessThanOrEqual(360);
    expect(click).toEqual({ type: 'postback', payload: 'track', text: 'Track' });
  });

  it('does not use one tenant\'s log-in for another\'s turns', async () => {
    await bus.handle(hub.written(talk, 'ours'));
    const other = hub.connect(globex, 'v12', 'acme-support');
    hub.connections.set(other.connectionId, { ...other, credentials: { password: 'not the one' } });
    await expect(bus.handle(hub.written(hub.talk(other), 'theirs'))).rejects.toMatchObject({ code: 'provider.unauthorized' });
    expect(hub.botpress.turns.map(({ payload }) => payload['text'])).toEqual(['ours']);
  });
});
