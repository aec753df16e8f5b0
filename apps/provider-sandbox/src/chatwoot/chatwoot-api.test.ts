import { beforeEach, describe, expect, it } from '@jest/globals';
import { chatwootRoom, chatwootThread, sandboxWorld, type ChatwootRoom, type SandboxWorld } from '../../test/sandbox-world.ts';

type Page = { payload: { id: number }[] };

describe('the stand-in for Chatwoot', () => {
  let world: SandboxWorld;
  let acme: ChatwootRoom;
  let globex: ChatwootRoom;

  beforeEach(async () => {
    world = sandboxWorld();
    acme = await chatwootRoom(world);
    globex = await chatwootRoom(world, { server: 'globex', version: '4.11.0' });
  });

  it('plays servers of several versions that all begin to count their accounts at 1', async () => {
    expect([acme.accountId, globex.accountId]).toEqual([1, 1]);
    expect((await world.ask('GET', '/chatwoot/api')).json).toMatchObject({ version: '4.15.1' });
    expect((await world.ask('GET', '/chatwoot/s/globex/api')).json).toMatchObject({ version: '4.11.0' });
    expect((await globex.call('GET', '/inboxes', undefined, acme.token)).json).toEqual({ error: 'Invalid Access Token' });
  });

  describe('at the door', () => {
    it('refuses no token, a wrong one, another account and a role in the real one\'s words', async () => {
      const second = await chatwootRoom(world);
      expect(await world.ask('GET', `${acme.api}/inboxes`)).toMatchObject({ status: 401, json: { errors: [expect.any(String)] } });
      expect(await acme.call('GET', '/inboxes', undefined, 'wrong')).toMatchObject({ status: 401, json: { error: 'Invalid Access Token' } });
      expect(await acme.call('GET', '/inboxes', undefined, second.token)).toMatchObject({ status: 401, json: { error: 'You are not authorized to access this account' } });
      expect(await world.ask('GET', '/chatwoot/api/v1/accounts/99/inboxes', undefined, { 'api-access-token': acme.token })).toMatchObject({ status: 404, json: { error: 'Resource could not be found' } });
      expect(await acme.call('POST', '/inboxes', { name: 'x', channel: { type: 'api' } }, acme.agentToken)).toMatchObject({ status: 401, json: { error: 'You are not authorized to do this action' } });
    });

    it('gives the free plan of the cloud no API', async () => {
      const free = await chatwootRoom(world, { plan: 'free' });
      expect(await free.call('GET', '/inboxes')).toMatchObject({ status: 403, json: { error: 'API access is not enabled for this account' } });
    });

    it('lets a bot\'s token write, and from 4.14.2 on read a conversation, and nothing else', async () => {
      const { json } = await acme.call('POST', '/agent_bots', { name: 'Hub bot' });
      const bot = String(json['access_token']);
      const { conversationId } = await chatwootThread(acme);
      const path = `/conversations/${conversationId}`;
      expect((await acme.call('POST', `${path}/messages`, { content: 'hi' }, bot)).json).toMatchObject({ message_type: 1, sender: { type: 'agent_bot' } });
      expect((await acme.call('GET', path, undefined, bot)).status).toBe(200);
      const refused = { status: 401, json: { error: 'Access to this endpoint is not authorized for bots' } };
      for (const [method, refusedPath] of [['GET', `${path}/messages`], ['GET', '/contacts/1'], ['GET', '/inboxes'], ['GET', '/conversations'], ['PATCH', `${path}/messages/1`]] as const) {
        expect(await acme.call(method, refusedPath, {}, bot)).toMatchObject(refused);
      }
      await world.ask('PATCH', '/sandbox/chatwoot/main', { version: '4.14.1' });
      expect(await acme.call('GET', path, undefined, bot)).toMatchObject(refused);
      expect(await acme.call('POST', `${path}/labels`, { labels: ['a'] }, bot)).toMatchObject(refused);
    });

    it('throttles with a text, and says nothing of when to come back', async () => {
      await world.ask('PATCH', '/sandbox/chatwoot/main', { callsPerMinute: 1 });
      await acme.call('GET', '/inboxes');
      const answer = await acme.call('GET', '/inboxes');
      expect([answer.status, answer.text, answer.headers['retry-after']]).toEqual([429, 'Retry later\n', undefined]);
    });
  });

  describe('messages', () => {
    it('does not know a message that it has already: posted twice, it is there twice', async () => {
      const { conversationId } = await chatwootThread(acme);
      const body = { content: 'once', echo_id: 'e1', source_id: 's1', content_attributes: { hub_ref: 'm1' } };
      const [first, second] = [await acme.call('POST', `/conversations/${conversationId}/messages`, body), await acme.call('POST', `/conversations/${conversationId}/messages`, body)];
      expect(first.json).toMatchObject({ echo_id: 'e1', content_attributes: { hub_ref: 'm1' }, status: 'sent' });
      expect(second.json['id']).toBe(Number(first.json['id']) + 1);
    });

    it.each([
      ['a type that is none', { message_type: 'shout' }, { error: "'shout' is not a valid message_type" }],
      ['a content type that is none', { content_type: 'hologram' }, { error: "'hologram' is not a valid content_type" }],
      ['150 001 characters', { content: 'x'.repeat(150_001) }, { error: 'Validation failed: Content is too long (maximum is 150000 characters)' }],
      ['a choice with a field of somebody\'s own', { content_type: 'input_select', content_attributes: { items: [{ title: 'A', value: 'a', color: 'red' }] } }, { error: expect.stringContaining('invalid keys') }],
      ['a file by its URL', { attachments: ['https://example.test/a.png'] }, { error: expect.any(String) }],
    ])('refuses %s with 422', async (_name, body, json) => {
      const { conversationId } = await chatwootThread(acme);
      expect(await acme.call('POST', `/conversations/${conversationId}/messages`, { content: 'hi', ...body })).toMatchObject({ status: 422, json });
    });

    it('takes incoming ones at API inboxes alone, and calls their author the contact', async () => {
      const { conversationId } = await chatwootThread(acme);
      expect((await acme.call('POST', `/conversations/${conversationId}/messages`, { content: 'hi', message_type: 'incoming' })).json).toMatchObject({ message_type: 0, sender: { type: 'contact', name: 'Ana' } });
      const { json: site } = await world.ask('POST', '/sandbox/chatwoot/main/accounts/1/inboxes', {});
      const { json } = await world.ask('POST', `/sandbox/chatwoot/main/accounts/1/inboxes/${String(site['inboxId'])}/receive`, { text: 'hello' });
      expect(await acme.call('POST', `/conversations/${String(json['conversationId'])}/messages`, { content: 'hi', message_type: 'incoming' })).toMatchObject({ status: 422, json: { error: 'Incoming messages are only allowed in Api inboxes' } });
    });

    it('refuses the 201st of a conversation in a minute with 422, not 429', async () => {
      const { conversationId } = await chatwootThread(acme);
      const post = () => acme.call('POST', `/conversations/${conversationId}/messages`, { content: 'x' });
      for (let count = 0; count < 200; count++) expect((await post()).status).toBe(200);
      expect(await post()).toMatchObject({ status: 422, json: { error: 'Validation failed: Too many messages' } });
      world.clock.now = new Date(world.clock.now.getTime() + 60_000);
      expect((await post()).status).toBe(200);
    });

    it('lists the newest 20, and behind an id the next 100, always oldest first', async () => {
      const { conversationId } = await chatwootThread(acme);
      for (let count = 0; count < 130; count++) await acme.call('POST', `/conversations/${conversationId}/messages`, { content: String(count) });
      const list = async (query: string) => ((await acme.call('GET', `/conversations/${conversationId}/messages${query}`)).json as Page).payload.map(({ id }) => id);
      expect(await list('')).toEqual(Array.from({ length: 20 }, (_none, index) => 111 + index));
      expect(await list('?after=0')).toEqual(Array.from({ length: 100 }, (_none, index) => 1 + index));
      expect(await list('?before=111')).toEqual(Array.from({ length: 20 }, (_none, index) => 91 + index));
      expect(await list('?after=5&before=8')).toEqual([5, 6, 7]);
    });

    it('renders what is written as Liquid but in backticks, and does not take a time from outside', async () => {
      const { conversationId } = await chatwootThread(acme);
      const { json } = await acme.call('POST', `/conversations/${conversationId}/messages`, { content: 'Hi {{contact.name}}{{ nobody }}, `{{contact.name}}`', created_at: 1, external_created_at: '2020-01-01' });
      expect(json).toMatchObject({ content: 'Hi Ana, `{{contact.name}}`', created_at: Math.floor(world.clock.now.getTime() / 1000), content_attributes: { external_created_at: '2020-01-01' } });
    });

    it('keeps the files of a form and gives them back behind a redirect', async () => {
      const { conversationId } = await chatwootThread(acme);
      const form = new FormData();
      form.set('content', 'see');
      form.set('private', 'false');
      form.set('content_attributes', JSON.stringify({ hub_ref: 'm2' }));
      form.append('attachments[]', new Blob(['bytes'], { type: 'image/png' }), 'a b.png');
      const type = new Response(form).headers.get('content-type') ?? '';
      const body = await new Response(form).text();
      const boundary = /^--(\S+)/.exec(body)?.[1] ?? '';
      const { json } = await world.ask('POST', `${acme.api}/conversations/${conversationId}/messages`, body, { 'api-access-token': acme.token, 'content-type': type.replace(/boundary=.*/, `boundary=${boundary}`) });
      expect(json).toMatchObject({ content: 'see', private: false, content_attributes: { hub_ref: 'm2' }, attachments: [{ file_type: 'image', file_size: 5 }] });
      const [file] = (json as { attachments: { data_url: string }[] }).attachments;
      const redirect = await world.ask('GET', file?.data_url ?? '');
      expect(redirect.status).toBe(302);
      expect((await world.ask('GET', redirect.headers['location'] ?? '')).text).toBe('bytes');
    });

    it('has its status set at API inboxes alone', async () => {
      const { conversationId } = await chatwootThread(acme);
      const { json } = await acme.call('POST', `/conversations/${conversationId}/messages`, { content: 'x' });
      expect((await acme.call('PATCH', `/conversations/${conversationId}/messages/${String(json['id'])}`, { status: 'failed', external_error: 'no' })).json).toMatchObject({ status: 'failed', content_attributes: { external_error: 'no' } });
      const { json: site } = await world.ask('POST', '/sandbox/chatwoot/main/accounts/1/inboxes', {});
      const { json: said } = await world.ask('POST', `/sandbox/chatwoot/main/accounts/1/inboxes/${String(site['inboxId'])}/receive`, { text: 'hello' });
      expect(await acme.call('PATCH', `/conversations/${String(said['conversationId'])}/messages/${String(said['messageId'])}`, { status: 'read' })).toMatchObject({ status: 403, json: { error: 'Message status update is only allowed for API inboxes' } });
    });
  });

  describe('contacts and conversations', () => {
    it('finds a contact by inbox and source id, and answers an empty 404 where there is none', async () => {
      const { inboxId, contactId } = await chatwootThread(acme);
      expect((await acme.call('POST', '/contact_inboxes/filter', { inbox_id: inboxId, source_id: 'wa:1' })).json).toMatchObject({ id: contactId, contact_inboxes: [{ source_id: 'wa:1' }] });
      expect(await acme.call('POST', '/contact_inboxes/filter', { inbox_id: inboxId, source_id: 'wa:2' })).toMatchObject({ status: 404, text: 'null' });
    });

    it.each([
      ['identifier', { identifier: 'wa:1' }, { message: 'Identifier has already been taken', attributes: ['identifier'] }],
      ['phone number', { phone_number: '+15005550100' }, { message: 'Phone number has already been taken', attributes: ['phone_number'] }],
      ['e-mail', { email: 'ANA@example.test' }, { message: 'Email has already been taken', attributes: ['email'] }],
      ['number that is not E.164', { phone_number: '5005550100' }, { message: 'Phone number should be in e164 format', attributes: ['phone_number'] }],
    ])('refuses a second contact with the same %s in the account', async (_name, body, json) => {
      const { contactId } = await chatwootThread(acme);
      await acme.call('PUT', `/contacts/${contactId}`, { phone_number: '+15005550100', email: 'ana@example.test' });
      expect(await acme.call('POST', '/contacts', { name: 'Twin', ...body })).toMatchObject({ status: 422, json });
      const other = await chatwootThread(globex);
      expect(other.contactId).toBeGreaterThan(0);
    });

    it('breaks with 500 where a source id is another contact\'s, and says 422 where a conversation asks for it', async () => {
      const { inboxId } = await chatwootThread(acme);
      const { json } = await acme.call('POST', '/contacts', { name: 'Other' });
      const { id } = (json as { payload: { contact: { id: number } } }).payload.contact;
      expect((await acme.call('POST', `/contacts/${id}/contact_inboxes`, { inbox_id: inboxId, source_id: 'wa:1' })).status).toBe(500);
      expect(await acme.call('POST', '/conversations', { inbox_id: inboxId, contact_id: id, source_id: 'wa:1' })).toMatchObject({ status: 422, json: { error: 'source_id should be unique' } });
    });

    it('gives back the last conversation where the inbox is locked to one, resolved or not, and a new one elsewhere', async () => {
      const locked = await chatwootThread(acme, { sourceId: 'wa:7', inbox: { lock_to_single_conversation: true } });
      await acme.call('POST', `/conversations/${locked.conversationId}/toggle_status`, { status: 'resolved' });
      expect((await acme.call('POST', '/conversations', { inbox_id: locked.inboxId, contact_id: locked.contactId, source_id: 'wa:7', status: 'open' })).json).toMatchObject({ id: locked.conversationId, status: 'resolved' });
      const free = await chatwootThread(acme, { sourceId: 'wa:8' });
      expect((await acme.call('POST', '/conversations', { inbox_id: free.inboxId, contact_id: free.contactId, source_id: 'wa:8' })).json['id']).not.toBe(free.conversationId);
    });

    it('meets strangers of other accounts when the inbox or the contact is left out, as the real one did', async () => {
      const second = await chatwootRoom(world);
      const { conversationId } = await chatwootThread(second, { sourceId: 'same' });
      const { json } = await acme.call('POST', '/conversations', { source_id: 'same' });
      expect([json['account_id'], json['id']]).toEqual([second.accountId, conversationId + 1]);
    });

    it('pages conversations by 25 and shows all that changed lately at once', async () => {
      const { inboxId, contactId } = await chatwootThread(acme);
      for (let count = 0; count < 29; count++) await acme.call('POST', '/conversations', { inbox_id: inboxId, contact_id: contactId, source_id: 'wa:1' });
      const list = async (query: string) => ((await acme.call('GET', `/conversations?inbox_id=${inboxId}&sort_by=created_at_asc&${query}`)).json as { data: Page & { meta: { all_count: number } } }).data;
      expect((await list('status=all')).payload).toHaveLength(25);
      expect((await list('status=all&page=2')).payload).toHaveLength(5);
      expect((await list('status=all&updated_within=60')).payload).toHaveLength(30);
      expect(await list('status=resolved')).toMatchObject({ payload: [], meta: { all_count: 0 } });
    });

    it('replaces labels and attributes, and gives an agent who opens a conversation that conversation', async () => {
      const { conversationId } = await chatwootThread(acme);
      const path = `/conversations/${conversationId}`;
      await acme.call('POST', `${path}/labels`, { labels: ['a', 'b'] });
      expect((await acme.call('POST', `${path}/labels`, { labels: ['c'] })).json).toEqual({ payload: ['c'] });
      expect((await acme.call('POST', `${path}/toggle_status`, { status: 'closed' })).status).toBe(500);
      await acme.call('POST', `${path}/toggle_status`, { status: 'pending' });
      await acme.call('POST', `${path}/toggle_status`, { status: 'open' }, acme.agentToken);
      expect((await acme.call('GET', path)).json).toMatchObject({ status: 'open', meta: { assignee: { name: 'Bruno' } } });
      expect((await acme.call('POST', `${path}/assignments`, { assignee_id: 0 })).text).toBe('null');
    });

    it('refuses an account webhook of the same address a second time, and one that is no address', async () => {
      const made = await acme.call('POST', '/webhooks', { url: 'https://hub.test/w', subscriptions: ['message_created'] });
      expect(made.json).toMatchObject({ payload: { webhook: { account_id: 1, secret: expect.any(String) } } });
      expect(await acme.call('POST', '/webhooks', { url: 'https://hub.test/w' })).toMatchObject({ status: 422, json: { attributes: ['url'] } });
      expect(await acme.call('POST', '/webhooks', { url: 'hub' })).toMatchObject({ status: 422, json: { message: 'Url is invalid', attributes: ['url'] } });
      expect((await globex.call('POST', '/webhooks', { url: 'https://hub.test/w' })).text).not.toContain('secret');
    });
  });
});
