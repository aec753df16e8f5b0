import { newId, type ConnectionId, type ConversationId, type MessageContent, type PayloadInputOf, type TenantId } from '@switchboard/contracts';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromBot, handoffTo } from '../../test/messages.ts';
import { acme, globex, makeTenant, startState, type TestState, type TestTenant } from '../../test/start-state.ts';

/** A tenant whose callers' conversations begin with a bot. */
type Callee = TestTenant & { readonly twilio: ConnectionId };

let state: TestState;
let ours: Callee;
let theirs: Callee;
/** The same number in both tenants, another one for each test. */
let number: string;
let numbers = 0;

beforeAll(async () => {
  state = await startState();
}, 60_000);
afterAll(() => state.stop());

beforeEach(async () => {
  ours = await addCallee(acme);
  theirs = await addCallee(globex);
  number = `+150055501${String(++numbers).padStart(2, '0')}`;
  state.clock.now = at(600);
  state.takePublished();
});

async function addCallee(tenantId: TenantId, { hasDesk = true, hasBot = true } = {}): Promise<Callee> {
  const made = makeTenant(tenantId);
  const twilio = newId('con');
  made.routing.connections.push({ connectionId: twilio, provider: 'twilio', role: 'channel', status: 'active', createdAt: '2026-11-01T00:00:00.000Z' });
  made.routing.routes.push({ channelConnectionId: twilio, botConnectionId: hasBot ? made.botpress : null, deskConnectionId: hasDesk ? made.genesys : null, startsWith: hasBot ? 'bot' : 'none', settings: {} });
  await state.addTenant(made);
  return { ...made, twilio };
}

const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 12, 0, second));
type Received = PayloadInputOf<'message.received'>;

function said({ twilio }: Callee, content: MessageContent, { author = 'contact', second = 0, id = newId('evt') as string }: { author?: Received['author']; second?: number; id?: string } = {}): Received {
  return { connectionId: twilio, provider: 'twilio', role: 'channel', providerMessageId: id, contact: { address: number, aliases: {} }, author, content, sentAt: at(second).toISOString() };
}

const wish = (callee: Callee, second = 60) => said(callee, handoffTo('desk', { reason: 'voicemail', summary: 'Voicemail from Ada.' }), { author: 'system', second });
const recording: MessageContent = { kind: 'audio', voice: true, media: { mimeType: 'audio/mpeg', mediaKey: 'a'.repeat(64), caption: 'Please call me back.' } };
const receive = (payload: Received, tenantId = acme) => state.consume(tenantId, 'message.received', payload);
const took = () => state.takePublished().map(({ type, payload }) => ({ type, ...(payload as { content?: MessageContent; handler?: string; connectionId?: string }) }));
const standing = async ({ twilio }: Callee, tenantId = acme) =>
  await state.rows<{ conversation_id: ConversationId; handler: string; status: string }>(tenantId, 'select conversation_id, handler, status from conversations where channel_connection_id = $1', [twilio]);

describe('a voicemail', () => {
  it('of somebody nobody knows goes to the desk, though the route starts with a bot; the bot does not hear it', async () => {
    await receive(wish(ours));
    await receive(said(ours, recording));
    expect(took()).toMatchObject([
      { type: 'message.send.genesys', connectionId: ours.genesys, content: { kind: 'handoff', reason: 'voicemail', summary: 'Voicemail from Ada.' } },
      { type: 'conversation.changed', handler: 'desk' },
      { type: 'message.send.genesys', connectionId: ours.genesys, content: recording },
    ]);
    expect(await standing(ours)).toMatchObject([{ handler: 'desk', status: 'open' }]);
    expect(await standing(theirs, globex)).toEqual([]);
  });

  it('of somebody who is talking to the bot takes the conversation to the desk; told again, it tells nobody again', async () => {
    await receive(said(ours, { kind: 'text', text: 'hi' }));
    const [conversation] = await standing(ours);
    const asked = wish(ours);
    const message = said(ours, recording, { second: 50 });
    for (const one of [asked, message, asked, message]) await receive(one);
    await receive(fromBot(ours, { conversationId: conversation?.conversation_id, text: 'Anything else?', sentAt: at(70).toISOString() }));
    expect(took().map(({ type, content }) => [type, content?.kind])).toEqual([
      ['message.send.botpress', 'text'],
      ['conversation.changed', undefined],
      ['message.send.genesys', 'handoff'],
      ['conversation.changed', undefined],
      ['message.send.genesys', 'audio'],
    ]);
    expect(await standing(ours)).toHaveLength(1);
  });

  it('opens a conversation that was closed while its transcript was waited for', async () => {
    await receive(said(ours, { kind: 'text', text: 'hi' }));
    const [conversation] = await standing(ours);
    await receive(wish(ours, 10));
    await receive({ ...fromBot(ours, { content: handoffTo('none', { reason: 'resolved' }) }), connectionId: ours.genesys, provider: 'genesys', role: 'desk', author: 'agent', conversationId: conversation?.conversation_id, sentAt: at(50).toISOString() });
    expect(await standing(ours)).toMatchObject([{ status: 'closed' }]);
    state.takePublished();
    await receive(wish(ours, 60));
    await receive(said(ours, recording, { second: 40 }));
    expect(took().map(({ type, content }) => [type, content?.kind])).toEqual([
      ['message.send.genesys', 'handoff'],
      ['conversation.changed', undefined],
      ['message.send.genesys', 'audio'],
    ]);
    expect(await standing(ours)).toMatchObject([{ handler: 'desk', status: 'open' }]);
  });

  it('stays with the bot where the route has no desk, and with nobody where it has neither', async () => {
    ours = await addCallee(acme, { hasDesk: false });
    for (const one of [wish(ours), said(ours, recording)]) await receive(one);
    expect(took()).toMatchObject([{ type: 'conversation.changed', handler: 'bot' }, { type: 'message.send.botpress', content: { kind: 'audio' } }]);
    ours = await addCallee(acme, { hasDesk: false, hasBot: false });
    for (const one of [wish(ours), said(ours, recording)]) await receive(one);
    expect(took()).toMatchObject([{ type: 'conversation.changed', handler: 'none' }]);
    expect(await state.rows(acme, 'select author from messages where connection_id = $1', [ours.twilio])).toEqual([{ author: 'contact' }]);
  });

  it('is to people: a channel gives its conversation to no bot, and a contact gives it to nobody', async () => {
    await receive(wish(ours));
    state.takePublished();
    await receive(said(ours, handoffTo('bot'), { author: 'system', second: 70 }));
    await receive(said(ours, handoffTo('none'), { author: 'system', second: 80 }));
    await receive(said(ours, handoffTo('desk'), { author: 'contact', second: 90 }));
    expect(took()).toEqual([]);
    expect(await standing(ours)).toMatchObject([{ handler: 'desk', status: 'open' }]);
  });
});

describe('a lead that names its contact in place of the conversation', () => {
  const lead = (callee: Callee, change: Partial<PayloadInputOf<'lead.captured'>> = {}): PayloadInputOf<'lead.captured'> => ({ leadId: newId('led'), source: 'voicemail', contact: { phone: number }, from: { connectionId: callee.twilio, address: number }, at: at(0).toISOString(), ...change });
  const stored = (leadId: string, tenantId = acme) => state.rows<{ conversation_id: string | null; phone: string }>(tenantId, 'select conversation_id, phone from leads where lead_id = $1', [leadId]);

  it('is kept with the contact\'s conversation, of its own tenant and connection', async () => {
    for (const [callee, tenantId] of [[ours, acme], [theirs, globex]] as const) await receive(said(callee, recording), tenantId);
    const [mine] = await standing(ours);
    const given = lead(ours);
    await state.consume(acme, 'lead.captured', given);
    expect(await stored(given.leadId)).toEqual([{ conversation_id: mine?.conversation_id, phone: number }]);
    expect(await stored(given.leadId, globex)).toEqual([]);
  });

  it('waits for a conversation that is on its way, and is kept without it when it does not come', async () => {
    const early = lead(ours);
    await expect(state.consume(acme, 'lead.captured', early)).rejects.toMatchObject({ code: 'service.unavailable', retry: { planned: true } });
    expect(await stored(early.leadId)).toEqual([]);
    await receive(said(ours, recording));
    await state.consume(acme, 'lead.captured', early, 2);
    expect(await stored(early.leadId)).toMatchObject([{ conversation_id: expect.stringMatching(/^cnv_/) }]);

    // One of another tenant's connections is one that is not there.
    const foreign = lead(theirs);
    await state.consume(acme, 'lead.captured', foreign, 8);
    expect(await stored(foreign.leadId)).toEqual([{ conversation_id: null, phone: number }]);
  });

  it('finds the conversation at the connection that has replaced its own', async () => {
    await receive(said(ours, recording));
    const [mine] = await standing(ours);
    const successor = newId('con');
    await state.rows(acme, 'insert into replaced_connections (tenant_id, connection_id, replaced_by, at) values ($1, $2, $3, now())', [acme, ours.twilio, successor]);
    await state.rows(acme, 'update conversations set channel_connection_id = $2 where channel_connection_id = $1', [ours.twilio, successor]);
    const given = lead(ours);
    await state.consume(acme, 'lead.captured', given);
    expect(await stored(given.leadId)).toMatchObject([{ conversation_id: mine?.conversation_id }]);
  });
});
