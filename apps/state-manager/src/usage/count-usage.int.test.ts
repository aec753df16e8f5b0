import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { newId, type PayloadOf, type TenantId } from '@switchboard/contracts';
import { fromAgent, fromContact } from '../../test/messages.ts';
import { acme, globex, makeTenant, startState, type TestState, type TestTenant } from '../../test/start-state.ts';

let state: TestState;
/** In America/Sao_Paulo, three hours behind UTC. */
let tenants: Record<'acme' | 'globex', TestTenant>;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state?.stop());

beforeEach(async () => {
  state.clock.now = new Date('2026-11-21T12:00:00.000Z');
  tenants = { acme: await state.addTenant(makeTenant(acme)), globex: await state.addTenant(makeTenant(globex)) };
  for (const tenantId of [acme, globex]) for (const table of ['messages', 'deliveries', 'mappings', 'conversations', 'contact_aliases', 'contacts', 'usage_counters', 'active_contacts']) await state.rows(tenantId, `delete from ${table}`);
  state.takePublished();
});

const image = (size?: number) => ({ kind: 'image', media: { mediaKey: 'a'.repeat(64), mimeType: 'image/jpeg', size } }) as const;
const of = (address: string) => ({ contact: { address, aliases: {} } });
const report = () => state.parts.tasks?.find(({ name }) => name === 'report-usage')?.run();

type Usage = PayloadOf<'usage.recorded'>;
/** What was told since the last look. */
const told = (tenantId: TenantId): Usage[] => state.kit.published.filter((event) => event.type === 'usage.recorded' && event.tenantId === tenantId).map(({ payload }) => payload as Usage); // of that type
const sum = (usages: readonly Usage[], direction: 'inbound' | 'outbound') => usages.flatMap(({ messages }) => messages).reduce((total, message) => total + (message.direction === direction ? message.count : 0), 0);
const stored = async (tenantId: TenantId, direction: string) => (await state.rows<{ count: number }>(tenantId, 'select count(*)::int as count from messages where direction = $1', [direction]))[0]?.count;

describe('what a tenant uses', () => {
  it('is counted once for each message that is stored, and not for one that comes again', async () => {
    const message = fromContact(tenants.acme, { content: image(1_000) });
    for (const _ of [1, 2, 3]) await state.consume(acme, 'message.received', message);
    await state.consume(acme, 'message.received', fromContact(tenants.acme, { content: image() }));
    await state.consume(acme, 'message.received', fromAgent(tenants.acme));
    await state.consume(globex, 'message.received', fromContact(tenants.globex));
    await report();
    expect(told(acme)).toEqual([
      {
        month: '2026-11',
        messages: expect.arrayContaining([
          { channel: 'whatsapp', direction: 'inbound', count: 2 },
          { channel: 'whatsapp', direction: 'outbound', count: 1 },
        ]),
        mediaBytes: 1_000,
        apiCalls: 0,
        contacts: [expect.stringMatching(/^ctc_/)],
      },
    ]);
    expect(told(globex)).toMatchObject([{ messages: [{ channel: 'whatsapp', direction: 'inbound', count: 1 }], mediaBytes: 0, contacts: [expect.any(String)] }]);
  });

  it('is told whatever size a file is said to have: what no file has counts as the largest that is believed', async () => {
    for (const size of [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 5]) await state.consume(acme, 'message.received', fromContact(tenants.acme, { content: image(size) }));
    await report();
    expect(told(acme)).toMatchObject([{ messages: [{ count: 3 }], mediaBytes: 2 * 1024 ** 3 + 5 }]);
  });

  it('belongs to the month that it is in the tenant\'s time zone, and a contact is active in each anew', async () => {
    state.clock.now = new Date('2026-12-01T02:59:59.000Z');
    await state.consume(acme, 'message.received', fromContact(tenants.acme));
    state.clock.now = new Date('2026-12-01T03:00:00.000Z');
    await state.consume(acme, 'message.received', fromContact(tenants.acme));
    await state.consume(acme, 'message.received', fromContact(tenants.acme));
    await report();
    const counts = told(acme).map(({ month, messages, contacts }) => [month, messages[0]?.count, contacts.length]);
    expect(counts).toEqual([
      ['2026-11', 1, 1],
      ['2026-12', 2, 1],
    ]);
  });

  it('is told completely and once, with messages, repetitions, failing tellings and several tellers going on at the same moment', async () => {
    const { publish } = state.kit.bus;
    let asked = 0;
    let lost = 0;
    // After the event was published and before the commit: what a process that dies leaves behind.
    state.kit.bus.publish = async (type, payload, options) => {
      if (type === 'usage.recorded' && asked++ % 3 === 0) {
        lost++;
        throw new Error('the process dies');
      }
      return publish(type, payload, options);
    };
    try {
      const messages = Array.from({ length: 150 }, (_, index) => fromContact(tenants.acme, { ...of(`1500555${1000 + (index % 30)}`), content: image(10), providerMessageId: newId('evt') }));
      const others = Array.from({ length: 40 }, (_, index) => fromContact(tenants.globex, of(`1500555${1000 + (index % 7)}`)));
      // Two of one message at one moment would wait for each other's conversation; one of them stores nothing.
      const write = async (tenantId: TenantId, list: typeof messages) => {
        for (const message of list) await Promise.all([state.consume(tenantId, 'message.received', message), state.consume(tenantId, 'message.received', message)]);
      };
      let isWriting = true;
      const writing = Promise.all([write(acme, messages.slice(0, 75)), write(acme, messages.slice(75)), write(globex, others)]).finally(() => {
        isWriting = false;
      });
      const tell = async () => {
        while (isWriting) await report();
      };
      await Promise.all([writing, tell(), tell()]);
    } finally {
      state.kit.bus.publish = publish;
    }
    await report();
    expect(lost).toBeGreaterThan(1);
    expect([sum(told(acme), 'inbound'), sum(told(globex), 'inbound')]).toEqual([150, 40]);
    expect(await stored(acme, 'inbound')).toBe(150);
    expect(told(acme).reduce((bytes, { mediaBytes }) => bytes + mediaBytes, 0)).toBe(1_500);
    const contacts = told(acme).flatMap(({ contacts: ids }) => ids);
    expect([contacts.length, new Set(contacts).size]).toEqual([30, 30]);
    expect(told(globex).flatMap(({ contacts: ids }) => ids)).toHaveLength(7);
    state.takePublished();
    await report();
    expect(told(acme)).toEqual([]);
  }, 30_000);

  it('is told of all contacts when they are more than one event takes', async () => {
    for (let index = 0; index < 620; index++) await state.consume(acme, 'message.received', fromContact(tenants.acme, of(`1500666${1000 + index}`)));
    await report();
    expect(told(acme).map(({ contacts }) => contacts.length)).toEqual([500, 120]);
    expect(sum(told(acme), 'inbound')).toBe(620);
  }, 30_000);

  it('is forgotten here two months after it was told, and not before', async () => {
    await state.consume(acme, 'message.received', fromContact(tenants.acme));
    const drop = () => state.parts.tasks?.find(({ name }) => name === 'drop-old-usage')?.run();
    const kept = async () => (await state.rows(acme, 'select from usage_counters')).length + (await state.rows(acme, 'select from active_contacts')).length;
    state.clock.now = new Date('2027-03-01T12:00:00.000Z');
    await drop();
    expect(await kept()).toBe(2);
    await report();
    state.clock.now = new Date('2027-01-31T12:00:00.000Z');
    await drop();
    expect(await kept()).toBe(2);
    state.clock.now = new Date('2027-02-01T12:00:00.000Z');
    await drop();
    expect(await kept()).toBe(0);
  });
});
