import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { movePhases, type AccountMoveRecord, type MovePhase } from '@switchboard/contracts';
import { runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { MoveWorld, type Seen } from './moves/move-world.ts';

const [acme, globex] = testTenants;
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let world: MoveWorld;
/** How often each contact has written, by address; and what agents wrote. */
let written: Map<string, number>;
let agentsWrote: { readonly address: string; readonly text: string }[];

beforeEach(async () => {
  world = await MoveWorld.start();
  written = new Map();
  agentsWrote = [];
}, 60_000);
afterEach(() => world.stop());

const addressOf = (index: number) => `49170${String(index).padStart(6, '0')}`;

/** Conversations with a history of every kind, in the tenant's and in the stranger's inbox. */
async function seedConversations(count: number): Promise<void> {
  const indexes = Array.from({ length: count }, (_, index) => index);
  const seedNext = async () => {
    for (let index = indexes.shift(); index !== undefined; index = indexes.shift()) await seedOne(index);
  };
  await Promise.all(Array.from({ length: 8 }, seedNext));

  async function seedOne(index: number): Promise<void> {
    const address = addressOf(index);
    const conversationId = await world.seed(world.from, address, `c${address}-0;`, index % 10 === 0 ? { attachments: [{ mimeType: 'image/png', base64: png, fileName: 'label.png' }] } : {});
    await agentSays(address, conversationId, 'shared');
    await world.agentWrites(world.from, conversationId, `note of ${address}`, { private: true });
    await world.seed(world.from, address, `c${address}-1;`);
    written.set(address, 2);
    const base = `/${world.from.account.server}/accounts/${world.from.account.accountId}/conversations/${conversationId}`;
    if (index % 4 === 0) await world.sandbox.ask('POST', `${base}/labels`, { labels: ['vip'] });
    if (index % 5 === 0) await world.sandbox.ask('POST', `${base}/status`, { status: 'resolved' });
    if (index % 20 === 0) await world.seed(world.theirs, address, `of the stranger ${address}`);
  }
}

async function agentSays(address: string, conversationId: string, inbox: 'shared' | 'own'): Promise<void> {
  const text = `a${address}-${agentsWrote.length};`;
  agentsWrote.push({ address, text });
  await world.agentWrites(inbox === 'shared' ? world.from : world.to, conversationId, text);
}

/** Contacts and agents write until told to stop; agents in whichever inbox shows the conversation, some in the old one all the same. */
function startTraffic(count: number): { readonly stop: () => Promise<void> } {
  let isOver = false;
  const byAddress = async (inbox: MoveWorld['from']) => new Map((await world.look(inbox)).map(({ sourceId, conversationId }) => [sourceId, conversationId]));
  const run = async () => {
    const old = await byAddress(world.from);
    let copies: Awaited<ReturnType<typeof byAddress>> | undefined;
    while (!isOver) {
      for (let turn = 0; turn < 3; turn++) {
        const address = addressOf(Math.floor(Math.random() * count));
        const number = written.get(address) ?? 0;
        written.set(address, number + 1);
        world.contactWrites(address, `c${address}-${number};`);
      }
      const address = addressOf(Math.floor(Math.random() * count));
      const isMoved = world.desk === world.to.connection.connectionId;
      if (isMoved) copies ??= await byAddress(world.to);
      const copy = Math.random() < 0.7 ? copies?.get(address) : undefined;
      const conversationId = copy ?? old.get(address);
      if (conversationId !== undefined) await agentSays(address, conversationId, copy === undefined ? 'shared' : 'own');
      await sleep(150);
    }
    await world.delivered();
  };
  const done = run();
  return {
    stop: async () => {
      isOver = true;
      await done;
    },
  };
}

/** Of a process that is dead: never. */
const phaseNow = async () => (await getMove()).phase;
const getMove = () => runAsTenant(acme, () => world.startedMoves().get());

async function until(holds: (move: AccountMoveRecord) => boolean, forMs = 120_000): Promise<AccountMoveRecord> {
  for (const end = Date.now() + forMs; ; await sleep(50)) {
    const move = await getMove();
    if (holds(move)) return move;
    if (Date.now() > end) throw new Error(`the move stands still: ${JSON.stringify({ ...move, report: move.report && { ...move.report, differing: move.report.differing.slice(0, 3) } })}`);
  }
}

/** Kills the process at one of its next calls when the move is in this phase, and starts another one. A phase that is over sooner is let be. */
async function killIn(phase: MovePhase, callsMax: number): Promise<void> {
  const isAt = ({ phase: now, state }: AccountMoveRecord) => state !== 'running' || now === 'waiting' || movePhases.indexOf(now) >= movePhases.indexOf(phase);
  await until(isAt);
  const { mortal } = world.startedProcess();
  mortal.dieAt(1 + Math.floor(Math.random() * callsMax), Math.random() < 0.5 ? 'before' : 'after');
  while (!mortal.isDead() && (await Promise.race([phaseNow(), sleep(1_000, phase)])) === phase) await sleep(10);
  if (mortal.isDead()) world.startProcess();
  else mortal.dieAt(Infinity, 'before');
}

/** Every word that was said stands in the inbox once, each contact's in the order in which they were said. */
function expectAllThere(conversations: readonly Seen[]): void {
  const found = new Map<string, string[]>();
  for (const { sourceId, messages } of conversations) found.set(sourceId, [...(found.get(sourceId) ?? []), ...messages.map(({ text }) => text ?? '')]);
  const faults: unknown[] = [];
  for (const [address, count] of written) {
    const words = found.get(address) ?? [];
    const numbers = words.flatMap((text) => /c\d+-(\d+);/.exec(text)?.[1] ?? []).map(Number);
    const wanted = Array.from({ length: count }, (_, number) => number);
    if (JSON.stringify(numbers) !== JSON.stringify(wanted)) faults.push({ address, numbers, wanted });
  }
  for (const { address, text } of agentsWrote) {
    const times = (found.get(address) ?? []).filter((words) => words.includes(text)).length;
    if (times !== 1) faults.push({ address, text, times });
  }
  expect(faults).toEqual([]);
}

describe('a move', () => {
  it('of 200 conversations loses, doubles and reorders nothing while all go on writing and its process is killed again and again', async () => {
    const count = 200;
    await seedConversations(count);
    const strangers = await world.look(world.theirs);
    const untouched = new Map((await world.look(world.from)).map((conversation) => [conversation.sourceId, conversation]));
    await runAsTenant(acme, () => world.startProcess().moves.start({ toConnectionId: world.to.connection.connectionId }));
    const traffic = startTraffic(count);
    for (let kills = 0; kills < 4; kills++) await killIn('copying', 500);
    for (const [phase, callsMax] of [['catching_up', 100], ['switching', 3], ['draining', 100], ['draining', 100]] as const) await killIn(phase, callsMax);
    await traffic.stop();
    await killIn('reconciling', 300);
    await killIn('retiring', 5);
    const move = await until(({ state, phase }) => state !== 'running' || phase === 'waiting');
    expect(move).toMatchObject({ state: 'ended', phase: 'done', error: null, report: { agrees: true, conversations: { source: count, target: count }, messages: { missing: 0, doubled: 0, misplaced: 0 }, attachments: { source: count / 10, target: count / 10 } } });

    const copies = await world.look(world.to);
    expectAllThere(copies);
    expect(copies.map(({ sourceId }) => sourceId).toSorted()).toEqual([...untouched.keys()].toSorted());
    for (const { sourceId, messages, labels, contact } of copies) {
      const original = untouched.get(sourceId);
      expect(messages.filter(({ text }) => text?.includes('note of')).map((note) => note.private)).toEqual([true]);
      expect(messages.filter((message) => message.private)).toHaveLength(1);
      expect({ labels, name: contact.name, identifier: contact.identifier }).toEqual({ labels: original?.labels, name: original?.contact.name, identifier: original?.contact.identifier });
      expect(messages.flatMap(({ attachments }) => attachments.map(({ base64 }) => base64))).toEqual(original?.messages.flatMap(({ attachments }) => attachments.map(() => png)));
    }
    // Routes go over before conversations, and the old inbox goes last of all; a process that died in it makes it go twice.
    expect(world.asked.find((what) => what !== 'routes to own')).toBe('conversations to own');
    expect(world.asked.slice(world.asked.indexOf('retire')).filter((what) => what !== 'retire')).toEqual([]);
    expect(await world.look(world.theirs)).toEqual(strangers);
    await expect(runAsTenant(globex, () => world.startedMoves().get())).rejects.toMatchObject({ code: 'move.not_found' });
  }, 240_000);

  it('that is rolled back after its switch brings back what was written in the new inbox, and one that follows it doubles nothing', async () => {
    const count = 20;
    await seedConversations(count);
    const { moves } = world.startProcess();
    const toConnectionId = world.to.connection.connectionId;
    await runAsTenant(acme, () => moves.start({ toConnectionId }));
    const traffic = startTraffic(count);
    await until(({ phase }) => phase === 'draining');
    await sleep(1_500);
    await runAsTenant(acme, () => moves.rollBack());
    await sleep(1_500);
    await traffic.stop();
    const { phase, error } = await until(({ state }) => state !== 'running');
    expect({ phase, error, desk: world.desk }).toEqual({ phase: 'rolled_back', error: null, desk: world.from.connection.connectionId });
    expect((await world.look(world.to)).some(({ messages }) => messages.some(({ contentAttributes }) => !String(contentAttributes['hub_ref']).startsWith('move:')))).toBe(true);
    expectAllThere(await world.look(world.from));

    await runAsTenant(acme, () => moves.start({ toConnectionId }));
    expect(await until(({ state }) => state !== 'running')).toMatchObject({ phase: 'done', report: { agrees: true } });
    expectAllThere(await world.look(world.to));
  }, 120_000);

  it('that the new account refuses fails with the reason and goes on when it is told to; one that is paused copies nothing', async () => {
    await seedConversations(10);
    const { moves } = world.startProcess();
    await world.fail({ provider: 'chatwoot', on: 'answers', contains: world.to.account.server, status: 401, times: 1 });
    await runAsTenant(acme, () => moves.start({ toConnectionId: world.to.connection.connectionId }));
    expect(await until(({ state }) => state === 'failed')).toMatchObject({ phase: 'copying', error: { code: 'provider.unauthorized' } });
    await runAsTenant(acme, () => moves.resume());
    await until(({ counts }) => counts.messages.done > 3);
    await runAsTenant(acme, () => moves.pause());
    // What was under way when the order came is finished first.
    let paused = await world.look(world.to);
    for (let before: typeof paused | undefined; !isDeepStrictEqual(before, paused); paused = await world.look(world.to)) {
      before = paused;
      await sleep(700);
    }
    await sleep(1_500);
    expect(await world.look(world.to)).toEqual(paused);
    await runAsTenant(acme, () => moves.resume());
    expect(await until(({ state }) => state !== 'running')).toMatchObject({ phase: 'done', error: null, report: { agrees: true } });
    expectAllThere(await world.look(world.to));
  }, 60_000);

  it('whose sides differ waits with its report until it is told to retire the old inbox', async () => {
    await seedConversations(10);
    const { moves } = world.startProcess();
    await world.fail({ provider: 'chatwoot', on: 'answers', contains: '/blobs/', status: 410, times: 10 });
    await runAsTenant(acme, () => moves.start({ toConnectionId: world.to.connection.connectionId }));
    expect(await until(({ phase }) => phase === 'waiting')).toMatchObject({ report: { agrees: false, attachments: { source: 1, target: 0 }, differing: [{ attachmentsMissing: 1 }] } });
    expect(world.asked).not.toContain('retire');
    await runAsTenant(acme, () => moves.retire());
    await until(({ phase }) => phase === 'done');
    expect((await world.look(world.to)).filter(({ messages }) => messages.some(({ text }) => text?.includes('(file not available: label.png)')))).toHaveLength(1);
  }, 60_000);
});
