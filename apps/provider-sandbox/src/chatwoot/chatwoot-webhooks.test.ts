import { beforeEach, describe, expect, it } from '@jest/globals';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { chatwootRoom, chatwootThread, sandboxWorld, type ChatwootRoom, type SandboxWorld } from '../../test/sandbox-world.ts';
import { chatwootSignature } from './chatwoot-webhooks.ts';

const hook = 'https://hub.test/webhooks/chatwoot/con_1';

type Delivered = { attempts: (number | null)[]; deliveries: { surface: string; event: string; signed: boolean }[] };

describe('webhooks of the stand-in for Chatwoot', () => {
  let world: SandboxWorld;
  let room: ChatwootRoom;

  beforeEach(async () => {
    world = sandboxWorld();
    room = await chatwootRoom(world);
  });

  const act = async (conversationId: number, what: string, body: unknown) => (await world.ask('POST', `/sandbox/chatwoot/main/accounts/1/conversations/${conversationId}/${what}`, body)).json as Record<string, unknown> & Delivered;
  /** One after the other: when this one was answered, those before it were. */
  const settled = () => act(1, 'typing', { by: 'agent' });
  const ofEvent = (event: string) => world.sender.bodies().filter((body) => body['event'] === event);

  it('sign as the contract\'s vector says', () => {
    const body = Buffer.from('{"event":"message_created","id":918273}');
    expect(signWebhook(chatwootSignature, { url: hook, body }, 'kQ7yUo2mN4bV8xZ1cR5tW9pL', 1783077605)).toEqual({
      'x-chatwoot-timestamp': '1783077605',
      'x-chatwoot-signature': 'sha256=4e3a4339815182fffa2615f3c0ef34b803fad6b0b5531e51ee609f4e7972c0a9',
    });
  });

  it('tell a message as the contract shows it: types as words on top and as numbers within, times in two forms, a contact without a type', async () => {
    const { conversationId, inboxId } = await chatwootThread(room, { webhookUrl: hook });
    await room.call('POST', `/conversations/${conversationId}/messages`, { content: 'Oi <b>', message_type: 'incoming', content_attributes: { hub_ref: 'm1' } });
    await settled();
    const [body] = ofEvent('message_created');
    expect(body).toMatchObject({
      id: 1,
      account: { id: 1 },
      inbox: { id: inboxId },
      message_type: 'incoming',
      content: 'Oi <b>',
      content_attributes: { hub_ref: 'm1' },
      created_at: '2026-11-21T09:00:00.000Z',
      sender: { name: 'Ana', identifier: 'wa:1', account: { id: 1 } },
      conversation: { id: conversationId, account: { id: 1 }, contact_inbox: { source_id: 'wa:1', pubsub_token: expect.any(String) }, messages: [{ message_type: 0, created_at: 1795251600, sender_type: 'Contact' }], meta: { sender: { type: 'contact' }, assignee: null } },
    });
    expect(Object.keys(body ?? {})).not.toEqual(expect.arrayContaining(['status']));
    expect(body?.['sender']).not.toHaveProperty('type');
    expect(body).not.toHaveProperty('attachments');
    // As Rails writes it: what is hashed is not what JSON.stringify would make of it again.
    expect(world.sender.sent.find(({ body: text }) => text.includes('hub_ref'))?.body).toContain(String.raw`Oi \u003cb\u003e`);
  });

  it('tell notes too, and name their authors: people, bots, nobody', async () => {
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    await act(conversationId, 'reply', { text: 'note', private: true });
    await act(conversationId, 'reply', { text: 'rule', as: 'automation' });
    await act(conversationId, 'reply', { text: 'greeting', as: 'template' });
    expect(ofEvent('message_created')).toMatchObject([
      { message_type: 'outgoing', private: true, sender: { type: 'user', name: 'Bruno' } },
      { message_type: 'outgoing', sender: null, content_attributes: { automation_rule_id: 9 } },
      { message_type: 'template', sender: null },
    ]);
  });

  it.each([
    ['4.15.1', true, true, true],
    ['4.14.1', true, true, false],
    ['4.12.0', true, false, false],
    ['4.11.2', false, false, false],
  ])('of %s are signed for accounts: %s, for inboxes: %s, and name the account in conversations: %s', async (version, account, inbox, named) => {
    await world.ask('PATCH', '/sandbox/chatwoot/main', { version });
    await room.call('POST', '/webhooks', { url: 'https://hub.test/account', subscriptions: ['message_created'] });
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    world.sender.sent.length = 0;
    const { deliveries } = await act(conversationId, 'reply', { text: 'hi' });
    const said = deliveries.filter(({ event }) => event === 'message_created');
    expect(said.map(({ surface, signed }) => [surface, signed])).toEqual(expect.arrayContaining([['account', account], ['inbox', inbox]]));
    const proved = world.sender.sent.filter(({ body }) => body.includes('message_created')).map(({ url, proof }) => [url === hook ? 'inbox' : 'account', proof !== undefined]);
    expect(proved).toEqual(expect.arrayContaining([['account', account], ['inbox', inbox]]));
    expect(world.sender.sent.map(({ headers }) => headers?.['x-chatwoot-delivery'] !== undefined)).toEqual(expect.arrayContaining([account]));
    const [created] = ofEvent('message_created') as { conversation: Record<string, unknown> }[];
    expect(created?.conversation['account'] !== undefined).toBe(named);
  });

  it('go to both surfaces when both are set, each with an id of its own, and to an account\'s only for what it subscribed', async () => {
    await room.call('POST', '/webhooks', { url: 'https://hub.test/account', subscriptions: ['conversation_status_changed'] });
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    await settled();
    world.sender.sent.length = 0;
    await act(conversationId, 'status', { status: 'resolved' });
    const [byUrl, ids] = [world.sender.sent.map(({ url, body }) => [new URL(url).pathname, (JSON.parse(body) as { event: string }).event]), world.sender.sent.map(({ headers }) => headers?.['x-chatwoot-delivery'])];
    expect(byUrl.toSorted()).toEqual([['/account', 'conversation_status_changed'], ['/webhooks/chatwoot/con_1', 'conversation_status_changed'], ['/webhooks/chatwoot/con_1', 'conversation_updated']]);
    expect(new Set(ids).size).toBe(3);
    expect(ofEvent('conversation_status_changed')).toMatchObject([{ changed_attributes: null, status: 'resolved' }, { changed_attributes: null }]);
    expect(ofEvent('conversation_updated')).toMatchObject([{ changed_attributes: [{ status: { previous_value: 'open', current_value: 'resolved' } }, { updated_at: expect.any(Object) }] }]);
  });

  it('of the account are not delivered on the free plan of the cloud; an inbox\' are', async () => {
    await room.call('POST', '/webhooks', { url: 'https://hub.test/account', subscriptions: ['message_created'] });
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    const account = world.state.get('chatwootAccount', 'main|1');
    if (account) world.state.put('chatwootAccount', 'main|1', { ...account, plan: 'free' });
    const { deliveries } = await act(conversationId, 'reply', { text: 'hi' });
    expect(new Set(deliveries.map(({ surface }) => surface))).toEqual(new Set(['inbox']));
  });

  it('are sent once: an inbox\' that fails makes its message a failed one', async () => {
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    world.sender.answers = [503];
    const { messageId } = await act(conversationId, 'reply', { text: 'hi' });
    const { json } = await world.ask('GET', `/sandbox/chatwoot/main/accounts/1/conversations/${conversationId}`);
    expect(json['messages']).toMatchObject([{ id: messageId, status: 'failed', contentAttributes: { external_error: '503' } }]);
    expect(ofEvent('message_created')).toHaveLength(1);
    expect(ofEvent('message_updated')).toHaveLength(1);
  });

  it('carry the name and password of their address as Basic auth; an address that is none is nobody\'s', async () => {
    const { conversationId } = await chatwootThread(room, { webhookUrl: 'https://hub:pass%20word@hub.test/w' });
    await act(conversationId, 'reply', { text: 'hi' });
    expect(world.sender.sent.at(-1)).toMatchObject({ url: 'https://hub.test/w', headers: { authorization: `Basic ${Buffer.from('hub:pass word').toString('base64')}` } });
    const other = await chatwootThread(room, { sourceId: 'wa:2', webhookUrl: 'nowhere' });
    await act(other.conversationId, 'reply', { text: 'hi' });
    expect(world.sender.sent.at(-1)).toMatchObject({ url: 'nowhere' });
  });

  describe('of agent bots', () => {
    const withBot = async (version = '4.15.1') => {
      await world.ask('PATCH', '/sandbox/chatwoot/main', { version });
      const { json: bot } = await room.call('POST', '/agent_bots', { name: 'Hub', outgoing_url: 'https://hub.test/bot' });
      const { json: site } = await world.ask('POST', '/sandbox/chatwoot/main/accounts/1/inboxes', {});
      await room.call('POST', `/inboxes/${String(site['inboxId'])}/set_agent_bot`, { agent_bot: bot['id'] });
      const receive = async () => (await world.ask('POST', `/sandbox/chatwoot/main/accounts/1/inboxes/${String(site['inboxId'])}/receive`, { from: 'visitor', text: 'hi' })).json as Record<string, unknown> & Delivered;
      return { receive, token: String(bot['access_token']) };
    };

    it('come without conversation_created; the conversation begins pending and says so when the bot opens it', async () => {
      const { receive, token } = await withBot();
      const { conversationId } = await receive();
      expect(world.sender.bodies().map((body) => body['event'])).not.toContain('conversation_created');
      expect((await room.call('GET', `/conversations/${String(conversationId)}`)).json).toMatchObject({ status: 'pending' });
      world.sender.sent.length = 0;
      const opened = await room.call('POST', `/conversations/${String(conversationId)}/toggle_status`, { status: 'open' }, token);
      expect(opened.json).toMatchObject({ payload: { success: null, current_status: 'open' } });
      await act(Number(conversationId), 'labels', { labels: ['later'] });
      expect(world.sender.bodies().map((body) => body['event'])).toEqual(expect.arrayContaining(['conversation_opened', 'conversation_status_changed', 'conversation_updated']));
    });

    it('are tried three times after 500, once after 503, and then the conversation goes to the people', async () => {
      const { receive } = await withBot();
      world.sender.answers = [500];
      const first = await receive();
      expect(first.deliveries.filter(({ event }) => event === 'message_created')).toMatchObject([{ attempts: [500, 500, 500] }]);
      expect((await room.call('GET', `/conversations/${String(first['conversationId'])}`)).json).toMatchObject({ status: 'open' });
      world.sender.answers = [503];
      expect((await receive()).deliveries.find(({ event }) => event === 'message_created')).toMatchObject({ attempts: [503] });
    });

    it('were not tried again before 4.12, and did not open conversations before 4.7', async () => {
      const { receive } = await withBot('4.6.0');
      world.sender.answers = [500];
      const { deliveries, conversationId } = await receive();
      expect(deliveries.find(({ event }) => event === 'message_created')).toMatchObject({ attempts: [500] });
      expect((await room.call('GET', `/conversations/${String(conversationId)}`)).json).toMatchObject({ status: 'pending' });
    });
  });

  it('tell a click on a choice as the question\'s update, a retry as a wiped message, and a contact\'s typing by its own API', async () => {
    const { conversationId, inboxId } = await chatwootThread(room, { webhookUrl: hook });
    const { messageId } = await act(conversationId, 'reply', { text: 'Which?', contentType: 'input_select', contentAttributes: { items: [{ title: 'A', value: 'a' }] } });
    await act(conversationId, `messages/${String(messageId)}/submit`, { values: [{ title: 'A', value: 'a' }] });
    await act(conversationId, `messages/${String(messageId)}/retry`, {});
    expect(ofEvent('message_updated')).toMatchObject([{ content_attributes: { submitted_values: [{ title: 'A', value: 'a' }] } }, { content_attributes: {} }]);
    const { json: inbox } = await room.call('GET', `/inboxes/${inboxId}`);
    const path = `/chatwoot/public/api/v1/inboxes/${String(inbox['inbox_identifier'])}/contacts/wa:1/conversations/${conversationId}`;
    expect((await world.ask('POST', `${path}/toggle_typing`, { typing_status: 'on' })).status).toBe(200);
    expect((await world.ask('POST', path.replace('wa:1', 'wa:2') + '/toggle_typing', { typing_status: 'on' })).status).toBe(404);
    await settled();
    expect(ofEvent('conversation_typing_on')[0]).toMatchObject({ user: { type: 'contact', name: 'Ana' }, conversation: { id: conversationId }, is_private: false });
  });

  it('say what holds when they are sent, not when the thing happened', async () => {
    const { conversationId } = await chatwootThread(room, { webhookUrl: hook });
    await settled();
    world.sender.sent.length = 0;
    await room.call('POST', `/conversations/${conversationId}/messages`, { content: 'before' });
    await room.call('POST', `/conversations/${conversationId}/toggle_status`, { status: 'pending' });
    await settled();
    expect(ofEvent('message_created')).toMatchObject([{ content: 'before', conversation: { status: 'pending' } }]);
  });
});
