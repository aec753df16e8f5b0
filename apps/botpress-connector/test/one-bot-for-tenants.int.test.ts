import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Envelope, TenantId } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import * as fc from 'fast-check';
import { startHub, type Hub, type HubProcess, type Talk } from './start-hub.ts';

const [acme, globex] = testTenants;
const secretOf = (tenantId: TenantId) => `the secret of ${tenantId}`;

let hub: Hub;
let bus: HubProcess;

beforeAll(async () => {
  hub = await startHub();
  for (const tenantId of testTenants) {
    const knowledgeBase = [{ question: 'Parcel', answer: `Parcels: ${secretOf(tenantId)}.`, tags: [] }, { question: 'Shipping', answer: `Shipping: ${secretOf(tenantId)}.`, tags: [] }];
    await hub.setUp(tenantId, { systemPrompt: secretOf(tenantId), welcomeMessage: `Welcome to ${tenantId}`, escalationRules: { keywords: [`agent of ${tenantId}`], labels: [tenantId] } }, knowledgeBase);
  }
  bus = await hub.startProcess();
}, 60_000);
afterAll(async () => {
  await hub?.stop();
});

type Step = { readonly who: number; readonly what: 'write' | 'answer' | 'repeat' | 'person' };

/** Conversations of both tenants with the one bot of the platform. */
function talksOf(count: number): Talk[] {
  const connections = testTenants.map((tenantId) => hub.connect(tenantId));
  return Array.from({ length: count }, (_, index) => connections[index % 2]).flatMap((connection) => (connection === undefined ? [] : [hub.talk(connection)]));
}

async function run(talks: readonly Talk[], steps: readonly Step[]): Promise<void> {
  const last = new Map<Talk, Envelope>();
  // Two at a time, as several conversations are under way together; one conversation's events keep their order.
  for (let i = 0; i < steps.length; i += 2) {
    const pair = steps.slice(i, i + 2).filter((step, index, all) => index === 0 || step.who !== all[0]?.who);
    await Promise.all(
      pair.map(async ({ who, what }) => {
        const talk = talks[who];
        if (talk === undefined) return;
        const { tenantId } = talk.connection;
        const event = what === 'answer' ? hub.signalled(talk, { type: 'text', text: `${secretOf(tenantId)} for ${talk.fid}` }) : what === 'repeat' ? last.get(talk) : hub.written(talk, what === 'person' ? `agent of ${tenantId}` : 'where is my parcel');
        if (event === undefined) return;
        last.set(talk, event);
        await bus.handle(event);
      }),
    );
  }
}

describe('one bot for several tenants', () => {
  it('never gets or gives one tenant\'s words, knowledge or conversation for another\'s, however their sessions are interleaved', async () => {
    const step = fc.record({ who: fc.nat(3), what: fc.constantFrom<Step['what']>('write', 'write', 'answer', 'answer', 'repeat', 'person') });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async (steps) => {
        hub.botpress.turns.length = 0;
        bus.published.length = 0;
        const talks = talksOf(4);
        await run(talks, steps);
        for (const talk of talks) {
          const { tenantId, connectionId } = talk.connection;
          const other = tenantId === acme ? globex : acme;
          const turns = hub.botpress.turns.filter(({ fid }) => fid === talk.fid);
          for (const turn of turns) {
            expect(turn.metadata.tenantContext).toMatchObject({ tenantId, systemPrompt: secretOf(tenantId) });
            expect(JSON.stringify(turn)).not.toContain(secretOf(other));
          }
          const heard = bus.heard().filter(({ conversationId }) => conversationId === talk.conversationId);
          for (const { payload, tenantId: to } of heard) {
            expect([to, payload['connectionId']]).toEqual([tenantId, connectionId]);
            expect(JSON.stringify(payload)).not.toContain(secretOf(other));
            expect(JSON.stringify(payload)).not.toContain(`Welcome to ${other}`);
          }
        }
        expect(hub.botpress.turns.every(({ fid }) => talks.some((talk) => talk.fid === fid))).toBe(true);
      }),
      { numRuns: 25 },
    );
  }, 120_000);

  it('says nothing to another tenant\'s conversation when it names one', async () => {
    const [ours, theirs] = talksOf(2);
    if (ours === undefined || theirs === undefined) throw new Error('there are two');
    bus.published.length = 0;
    // Ingest gave it to our connection; its body names the other tenant's conversation.
    const forged = hub.signalled({ ...ours, fid: theirs.fid }, { type: 'text', text: 'hello' });
    await bus.handle(forged);
    expect(bus.published).toEqual([]);
  });

  it('does not see another tenant\'s sessions in the database', async () => {
    const [ours] = talksOf(2);
    if (ours === undefined) throw new Error('there is one');
    await bus.handle(hub.written(ours, 'hello'));
    const sql = 'select conversation_id from chat_sessions where conversation_id = $1';
    expect(await hub.rows(ours.connection.tenantId, sql, [ours.conversationId])).toHaveLength(1);
    expect(await hub.rows(globex === ours.connection.tenantId ? acme : globex, sql, [ours.conversationId])).toEqual([]);
  });
});
