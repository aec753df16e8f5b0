import { newId, replaceConnectionInternal, type ConnectionId, type TenantId } from '@switchboard/contracts';
import { describeRoute } from '@switchboard/service-kit/testing';
import { runAsTenant } from '@switchboard/tenant-context';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { fromAgent, fromContact, fromInbox } from '../../test/messages.ts';
import { runState, tenants, type RunningState } from '../../test/run-state.ts';
import { acme, globex, makeTenant, startState, withOwnAgents, type TestState, type TestTenant } from '../../test/start-state.ts';

let running: RunningState;
let state: TestState;
let tenant: TestTenant;
let theirs: TestTenant;
/** The connection that takes the place of the Chatwoot inbox, or of the desk. */
let successor: ConnectionId;

beforeAll(async () => {
  [running, state] = await Promise.all([runState(), startState()]);
}, 60_000);
afterAll(() => Promise.all([running?.stop(), state?.stop()]));

const withSuccessor = (made: TestTenant, provider: 'chatwoot' | 'genesys'): TestTenant => {
  const { connections } = made.routing;
  const role = provider === 'chatwoot' ? 'channel' : 'desk';
  return { ...made, routing: { ...made.routing, connections: [...connections, { connectionId: successor, provider, role, status: 'active', createdAt: '2026-11-02T00:00:00.000Z' }] } };
};

async function begin(provider: 'chatwoot' | 'genesys') {
  successor = newId('con');
  tenant = await state.addTenant(withSuccessor(withOwnAgents(makeTenant(acme)), provider));
  theirs = await state.addTenant(withOwnAgents(makeTenant(globex)));
}

const replace = (from: ConnectionId, to: ConnectionId, tenantId: TenantId = acme) => {
  const route = state.parts.routes?.find(({ contract }) => contract === replaceConnectionInternal);
  return runAsTenant(tenantId, () => route?.handle({ body: { from, to } } as never)); // the handler reads the body alone
};
const receive = (payload: ReturnType<typeof fromContact>, tenantId = acme) => state.consume(tenantId, 'message.received', payload);
const source = (index: number) => ({ address: `source-${index}`, aliases: {} });

describeRoute(replaceConnectionInternal, {
  service: 'state-manager',
  url: () => running.url,
  tenants: [acme, globex],
  input: (tenantId) => ({ body: { from: newId('con'), to: tenants.get(tenantId)?.chatwoot ?? newId('con') } }),
  missing: () => ({ body: { from: newId('con'), to: newId('con') } }),
  badInputs: { 'one connection twice': (input) => ({ ...input, body: { from: input.body?.to, to: input.body?.to } }) },
});

describe('a channel whose account was moved', () => {
  beforeEach(() => begin('chatwoot'));

  it('goes on at the other connection, with every conversation as it was, once', async () => {
    for (let i = 0; i < 5; i++) await receive(fromInbox(tenant, { contact: source(i) }));
    await receive({ ...fromInbox(theirs), contact: source(0) }, globex);
    expect(await replace(tenant.chatwoot, successor)).toEqual({ conversations: 5, mappings: 0, kept: 0, isDone: true });
    expect(await replace(tenant.chatwoot, successor)).toEqual({ conversations: 0, mappings: 0, kept: 0, isDone: true });
    const rows = await state.rows<{ channel: string; message_count: number }>(acme, 'select channel_connection_id as channel, message_count from conversations where channel_connection_id in ($1, $2)', [tenant.chatwoot, successor]);
    expect(rows).toEqual(Array.from({ length: 5 }, () => ({ channel: successor, message_count: 1 })));
    expect(await state.rows(globex, 'select channel_connection_id as channel from conversations where channel_connection_id = $1', [theirs.chatwoot])).toEqual([{ channel: theirs.chatwoot }]);
  });

  it('takes what still arrives by the old one into the same conversations, and opens new ones at the new one', async () => {
    await receive(fromInbox(tenant, { contact: source(1) }));
    await replace(tenant.chatwoot, successor);
    state.takePublished();
    await receive(fromInbox(tenant, { contact: source(1), text: 'late' }));
    await receive(fromInbox(tenant, { contact: source(2), text: 'late and new' }));
    await receive(fromInbox(tenant, { connectionId: successor, contact: source(1), providerConversationId: '3', text: 'on time' }));
    const rows = await state.rows<{ channel: string; message_count: number }>(acme, 'select channel_connection_id as channel, message_count from conversations where channel_connection_id in ($1, $2) order by message_count', [tenant.chatwoot, successor]);
    expect(rows).toEqual([{ channel: successor, message_count: 1 }, { channel: successor, message_count: 3 }]);
    // The id of the old account's thread is of no use at the new one.
    expect(await state.rows(acme, 'select provider_conversation_id as id from mappings where connection_id = $1', [successor])).toEqual([{ id: '3' }]);
  });

  it('loses and doubles nothing, though messages arrive while it is moved', async () => {
    const first = Array.from({ length: 20 }, (_, index) => fromInbox(tenant, { contact: source(index) }));
    for (const message of first) await receive(message);
    const meanwhile = Array.from({ length: 40 }, (_, index) => fromInbox(tenant, { contact: source(index % 20), text: `${index}` }));
    await Promise.all([replace(tenant.chatwoot, successor), ...meanwhile.map((message) => receive(message))]);
    await replace(tenant.chatwoot, successor);
    const rows = await state.rows<{ channel: string; message_count: number }>(acme, 'select channel_connection_id as channel, message_count from conversations where channel_connection_id in ($1, $2)', [tenant.chatwoot, successor]);
    expect(rows).toEqual(Array.from({ length: 20 }, () => ({ channel: successor, message_count: 3 })));
  });

  it('comes back by the way it went', async () => {
    await receive(fromInbox(tenant, { contact: source(1) }));
    await replace(tenant.chatwoot, successor);
    expect(await replace(successor, tenant.chatwoot)).toMatchObject({ conversations: 1, isDone: true });
    await receive(fromInbox(tenant, { contact: source(2) }));
    await receive(fromInbox(tenant, { connectionId: successor, contact: source(3) }));
    expect(await state.rows(acme, 'select channel_connection_id as channel from conversations where channel_connection_id in ($1, $2)', [tenant.chatwoot, successor])).toEqual(Array.from({ length: 3 }, () => ({ channel: tenant.chatwoot })));
  });

  it('leaves a conversation where it is whose contact has one at the other connection', async () => {
    await receive(fromInbox(tenant, { contact: source(1) }));
    await receive(fromInbox(tenant, { connectionId: successor, contact: source(1) }));
    expect(await replace(tenant.chatwoot, successor)).toEqual({ conversations: 0, mappings: 0, kept: 1, isDone: true });
  });

  it('is nobody\'s to move to another tenant\'s connection, or to one of another provider', async () => {
    await expect(replace(tenant.chatwoot, theirs.chatwoot)).rejects.toMatchObject({ code: 'connection.not_found' });
    await expect(replace(tenant.chatwoot, tenant.genesys)).rejects.toMatchObject({ code: 'connection.not_found' });
    await receive({ ...fromInbox(theirs), contact: source(0) }, globex);
    await replace(theirs.chatwoot, successor);
    expect(await state.rows(globex, 'select channel_connection_id as channel from conversations where channel_connection_id = $1', [theirs.chatwoot])).toEqual([{ channel: theirs.chatwoot }]);
  });
});

describe('a desk whose account was moved', () => {
  beforeEach(() => begin('genesys'));

  it('knows every contact by the address of before, and its agents\' late messages by the old one find their way', async () => {
    await receive(fromContact(tenant));
    await receive(fromAgent(tenant, { providerConversationId: 'old-1' }));
    expect(await replace(tenant.genesys, successor)).toEqual({ conversations: 0, mappings: 1, kept: 0, isDone: true });
    expect(await replace(tenant.genesys, successor)).toMatchObject({ mappings: 0 });
    Object.assign(tenant.routing.routes[0] ?? {}, { deskConnectionId: successor });
    await state.addTenant(tenant);
    state.takePublished();
    await receive(fromContact(tenant, { text: 'hello again' }));
    await receive(fromAgent(tenant, { connectionId: successor, text: 'from the new one' }));
    await receive(fromAgent(tenant, { text: 'late, by the old one' }));
    const published = state.takePublished();
    expect(published.map(({ type, payload }) => [type, (payload as { connectionId: string }).connectionId])).toEqual([
      ['message.send.genesys', successor],
      ['message.send.whatsapp', tenant.whatsapp],
      ['message.send.whatsapp', tenant.whatsapp],
    ]);
    expect(published[0]?.payload).toMatchObject({ contact: { address: '15005550123' } });
    expect(published[0]?.payload).not.toHaveProperty('providerConversationId');
  });
});
