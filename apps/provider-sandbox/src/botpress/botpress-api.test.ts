import { beforeEach, describe, expect, it } from '@jest/globals';
import { createHmac } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { sandboxWorld, type Asked, type SandboxWorld } from '../../test/sandbox-world.ts';
import { readUserKey } from './chat-api.ts';

const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
function userKey(id: string, key: string): string {
  const signed = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({ id })}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

type Cloud = { webhookId: string; encryptionKey: string; webhookSecret: string; accessToken: string; botId: string };
type V12 = { botId: string; email: string; password: string };

describe('the stand-in for Botpress', () => {
  let world: SandboxWorld;

  beforeEach(() => {
    world = sandboxWorld();
  });

  async function addBot<Credentials>(given: object): Promise<Credentials> {
    const { json } = await world.ask('POST', '/sandbox/botpress/bots', given);
    return json['credentials'] as Credentials; // the form of the kind that was asked for
  }

  describe('at Cloud', () => {
    const fid = 'con_1-cnv_1';
    let bot: Cloud;
    const as = (user: string, of = bot) => (method: string, path: string, body?: unknown): Promise<Asked> => world.ask(method, `/botpress/${of.webhookId}${path}`, body, { 'x-user-key': userKey(user, of.encryptionKey) });
    const begin = async (user = fid, of = bot) => {
      await as(user, of)('POST', '/users/get-or-create', { name: 'Ana' });
      await as(user, of)('POST', '/conversations/get-or-create', { id: user });
    };
    const turn = (text: string, metadata: object = {}) => as(fid)('POST', '/messages', { conversationId: fid, payload: { type: 'text', text }, metadata });

    beforeEach(async () => {
      bot = await addBot<Cloud>({});
    });

    it('knows a user by a JWT of the bot\'s key alone', async () => {
      // The contract's vector, section 2.2.
      expect(readUserKey('eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJpZCI6InRfYWNtZS13YS00OTE1MTEyMzQ1Njc4In0.5_t_rcOuEwfeH9rbehM4-O6qQE6sEpOKvyLHFAa3hkQ', 'hub-chat-key-0001')).toBe('t_acme-wa-4915112345678');
      const other = await addBot<Cloud>({});
      expect(await world.ask('POST', `/botpress/${bot.webhookId}/users/get-or-create`, {}, { 'x-user-key': userKey(fid, other.encryptionKey) })).toMatchObject({ status: 401, json: { code: 401, type: 'Unauthorized', message: 'Invalid user key' } });
      expect((await as(fid)('POST', '/users', {})).status).toBe(401);
    });

    it('says that a webhook id is unknown with the status of a success', async () => {
      expect(await world.ask('GET', '/botpress/nobody/hello')).toMatchObject({ status: 200, json: { code: 404, type: 'ResourceNotFound', message: expect.stringContaining('nobody') } });
      expect(await as(fid)('GET', '/holograms')).toMatchObject({ status: 404, json: { message: "Route doesn't exist" } });
    });

    it.each(['+49151', 'a@b', 'a.b', 'x'.repeat(71), ''])('refuses "%s" as the id of a conversation', async (id) => {
      await begin();
      expect(await as(fid)('POST', '/conversations/get-or-create', { id })).toMatchObject({ status: 400, json: { type: 'InvalidPayload' } });
    });

    it('keeps a conversation for the user who made it', async () => {
      await begin();
      await begin('con_2-cnv_2');
      const stranger = as('con_2-cnv_2');
      expect((await stranger('POST', '/conversations/get-or-create', { id: fid })).json).toMatchObject({ code: 403, message: expect.stringContaining('not the owner') });
      expect((await stranger('POST', '/messages', { conversationId: fid, payload: { type: 'text', text: 'x' } })).status).toBe(403);
      expect((await stranger('GET', `/conversations/${fid}/messages`)).status).toBe(403);
    });

    it.each([
      ['an empty text', { type: 'text', text: '' }, 400],
      ['a type that is none', { type: 'hologram' }, 400],
      ['a choice without options', { type: 'choice', text: 'Which?' }, 400],
      ['a carousel of nothing but words', { type: 'carousel', items: ['a'] }, 400],
      ['more than 128 KB', { type: 'text', text: 'x'.repeat(128 * 1024) }, 413],
    ])('refuses %s', async (_name, payload, status) => {
      await begin();
      expect((await as(fid)('POST', '/messages', { conversationId: fid, payload })).status).toBe(status);
    });

    it('sends the echo, with the bot\'s secret and a slash at the end, and waits for its answer before its own', async () => {
      await begin();
      const order: string[] = [];
      world.sender.onSend = async () => {
        await sleep(20);
        order.push('echo');
      };
      const { json } = await turn('hi', { hubMessageId: 'm1' });
      expect(order).toEqual(['echo']);
      expect(json).toMatchObject({ message: { conversationId: fid, userId: fid, metadata: { hubMessageId: 'm1' } } });
      expect(world.sender.sent[0]).toMatchObject({ url: 'http://hub.test/webhooks/botpress/', proof: { auth: { header: 'x-secret-key' }, secret: bot.webhookSecret }, retryDelaysMs: [] });
      expect(world.sender.bodies()[0]).toMatchObject({ type: 'message_created', data: { conversationId: fid, isBot: false, payload: { text: 'hi' } } });
    });

    it('answers by a signal of its own and once, whatever the hub says to it; what was said can be read', async () => {
      world.sender.answers = [500];
      await begin();
      await turn('hi');
      await sleep(50);
      expect(world.sender.bodies().map((body) => (body['data'] as { isBot: boolean }).isBot)).toEqual([false, true]);
      const { json } = await as(fid)('GET', `/conversations/${fid}/messages`);
      expect(json).toMatchObject({ messages: [{ userId: expect.stringMatching(/^user_/) }, { userId: fid }] });
    });

    it('tells one bot\'s tenants apart by what came with the turn, and does not remember it', async () => {
      const shared = await addBot<Cloud>({ behaviour: { rules: [{ contains: 'human', replies: [{ say: 'a person of {{tenantContext.tenantId}}' }, { action: { type: 'handoff', reason: 'asked' } }] }], otherwise: [{ fromKnowledge: '{{tenantContext.tenantId}} does not know' }] } });
      for (const [user, tenantId, answer] of [['con_1-cnv_1', 'acme', 'nine'], ['con_2-cnv_2', 'globex', 'ten']] as const) {
        await begin(user, shared);
        const say = (text: string, knowledge?: object) => as(user, shared)('POST', '/messages', { conversationId: user, payload: { type: 'text', text }, metadata: { tenantContext: { tenantId, knowledge } } });
        await say('When do you open?', [{ question: 'When do you open in the morning', answer }]);
        await say('When do you open?');
        await say('a human please');
      }
      await sleep(80);
      const said = (user: string) => world.sender.bodies().map((body) => body['data'] as { conversationId: string; isBot: boolean; id: string | null; payload: Record<string, unknown> }).filter((data) => data.isBot && data.conversationId === user).map(({ payload }) => payload['text'] ?? payload['type']);
      expect(said('con_1-cnv_1').toSorted()).toEqual(['a person of acme', 'acme does not know', 'handoff', 'nine']);
      expect(said('con_2-cnv_2').toSorted()).toEqual(['a person of globex', 'globex does not know', 'handoff', 'ten']);
      const { json } = await world.ask('GET', `/sandbox/botpress/bots/${shared.webhookId}/turns?conversationId=con_2-cnv_2`);
      expect((json['data'] as { metadata: { tenantContext: { tenantId: string } } }[]).map(({ metadata }) => metadata.tenantContext.tenantId)).toEqual(['globex', 'globex', 'globex']);
    });

    it('takes so many turns a minute as it was told, and says how long the rest must wait', async () => {
      bot = await addBot<Cloud>({ messagesPerMinute: 2, behaviour: 'silent' });
      await begin();
      await turn('1');
      await turn('2');
      const third = await turn('3');
      expect([third.status, third.headers['ratelimit-reset']]).toEqual([429, '60']);
    });

    it('is silent, or down, when it is told to be', async () => {
      await begin();
      await world.ask('PATCH', `/sandbox/botpress/bots/${bot.webhookId}`, { behaviour: 'silent' });
      expect((await turn('hi')).status).toBe(200);
      await sleep(30);
      expect(world.sender.sent).toHaveLength(1);
      await world.ask('PATCH', `/sandbox/botpress/bots/${bot.webhookId}`, { behaviour: 'down' });
      expect(await turn('hi')).toMatchObject({ status: 500, json: { code: 500 } });
    });

    it('keeps a file once under its key, and only as it was announced; each bot sees its own', async () => {
      const headers = { authorization: `Bearer ${bot.accessToken}`, 'x-bot-id': bot.botId };
      const put = (body: object) => world.ask('PUT', '/botpress/v1/files', { key: 'hub/acme/1.md', size: 3, index: true, contentType: 'text/markdown', tags: { tenant: 'acme' }, ...body }, headers);
      const [first, second] = [await put({}), await put({})];
      const fileOf = ({ json }: Asked) => json['file'] as { id: string; status: string; uploadUrl: string };
      expect(fileOf(second).id).toBe(fileOf(first).id);
      expect((await put({ size: undefined })).status).toBe(400);
      expect((await world.ask('PUT', fileOf(first).uploadUrl, 'four', { 'content-type': 'text/markdown' })).status).toBe(403);
      expect((await world.ask('PUT', fileOf(first).uploadUrl, 'abc', { 'content-type': 'text/markdown' })).status).toBe(200);
      const status = async () => fileOf(await world.ask('GET', `/botpress/v1/files/${fileOf(first).id}`, undefined, headers)).status;
      expect(await status()).toBe('indexing_pending');
      world.clock.now = new Date(world.clock.now.getTime() + 1_000);
      expect(await status()).toBe('indexing_completed');
      expect((await world.ask('GET', '/botpress/v1/files?tags[tenant]=globex', undefined, headers)).json).toMatchObject({ files: [] });
      const other = await addBot<Cloud>({});
      expect((await world.ask('GET', '/botpress/v1/files', undefined, { ...headers, 'x-bot-id': other.botId })).status).toBe(403);
      expect((await world.ask('GET', '/botpress/v1/files', undefined, { authorization: `Bearer ${other.accessToken}`, 'x-bot-id': other.botId })).json).toMatchObject({ files: [] });
      expect((await world.ask('GET', '/botpress/v1/files', undefined, { ...headers, authorization: 'Bearer wrong' })).status).toBe(401);
    });
  });

  describe('as a v12 server', () => {
    let bot: V12;
    let headers: Record<string, string>;
    const converse = (body: unknown, user = 'con_1-cnv_1') => world.ask('POST', `/botpress/api/v1/bots/${bot.botId}/converse/${user}/secured`, body, headers);

    async function logIn({ email, password }: V12): Promise<Record<string, string>> {
      const { json } = await world.ask('POST', '/botpress/api/v1/auth/login/basic/default', { email, password });
      return { authorization: `Bearer ${(json['payload'] as { jwt: string }).jwt}` };
    }

    beforeEach(async () => {
      bot = await addBot<V12>({ kind: 'v12' });
      headers = await logIn(bot);
    });

    it('answers in the same call, typing first', async () => {
      expect(await converse({ type: 'text', text: 'hi' })).toMatchObject({ status: 200, json: { responses: [{ type: 'typing', value: true }, { type: 'text', text: 'hi' }] } });
    });

    it('refuses a wrong password, an old token, another owner\'s bot and the unauthenticated route', async () => {
      expect((await world.ask('POST', '/botpress/api/v1/auth/login/basic/default', { email: bot.email, password: 'wrong' })).status).toBe(403);
      const stranger = await logIn(await addBot<V12>({ kind: 'v12' }));
      expect((await world.ask('POST', `/botpress/api/v1/bots/${bot.botId}/converse/u/secured`, { type: 'text', text: 'x' }, stranger)).status).toBe(404);
      expect((await world.ask('POST', `/botpress/api/v1/bots/${bot.botId}/converse/u`, { type: 'text', text: 'x' })).status).toBe(403);
      world.clock.now = new Date(world.clock.now.getTime() + 3_600_000);
      expect((await converse({ type: 'text', text: 'hi' })).status).toBe(401);
    });

    it('calls everything that goes wrong 400: a text of 361 characters, silence, a second turn of one user at once', async () => {
      expect(await converse({ type: 'text', text: 'x'.repeat(361) })).toMatchObject({ status: 400, json: { statusCode: 400, message: 'Text must be a valid string of less than 360 chars' } });
      await world.ask('PATCH', `/sandbox/botpress/bots/${bot.botId}`, { behaviour: { delayMs: 30 } });
      const both = await Promise.all([converse({ type: 'text', text: 'one' }), converse({ type: 'text', text: 'two' }), converse({ type: 'text', text: 'other' }, 'con_2-cnv_2')]);
      expect(both.map(({ status }) => status)).toEqual([200, 400, 200]);
      expect(both[1]?.json).toMatchObject({ message: 'Request timed out.' });
      await world.ask('PATCH', `/sandbox/botpress/bots/${bot.botId}`, { behaviour: 'silent' });
      expect(await converse({ type: 'text', text: 'hi' })).toMatchObject({ status: 400, json: { message: expect.stringContaining('No responses found') } });
    });

    it('says actions as custom messages of the module hub', async () => {
      await world.ask('PATCH', `/sandbox/botpress/bots/${bot.botId}`, { behaviour: { rules: [], otherwise: [{ action: { type: 'lead_capture', email: 'ana@example.test' } }] } });
      expect((await converse({ type: 'text', text: 'hi' })).json).toEqual({ responses: [{ type: 'custom', module: 'hub', component: 'lead_capture', email: 'ana@example.test' }] });
    });

    it('takes questions by its studio alone: an import replaces them by our ids, creating twice makes two', async () => {
      const studio = { ...headers, 'x-bp-workspace': 'default' };
      const data = { action: 'text', questions: { de: ['Wo?'] }, answers: { de: ['Da.'] } };
      const path = `/botpress/api/v1/studio/${bot.botId}/qna`;
      expect((await world.ask('POST', `${path}/questions`, data, headers)).status).toBe(400);
      await world.ask('POST', `${path}/questions`, data, studio);
      await world.ask('POST', `${path}/questions`, data, studio);
      const count = async () => (await world.ask('GET', `${path}/questions`, undefined, studio)).json['count'];
      expect(await count()).toBe(2);
      const upload = async (text: string) => {
        const boundary = 'b0';
        const body = `--${boundary}\r\nContent-Disposition: form-data; name="action"\r\n\r\nclear_insert\r\n--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="q.json"\r\nContent-Type: application/json\r\n\r\n${text}\r\n--${boundary}--\r\n`;
        const { text: id } = await world.ask('POST', `${path}/import`, body, { ...studio, 'content-type': `multipart/form-data; boundary=${boundary}` });
        return (await world.ask('GET', `${path}/json-upload-status/${id}`, undefined, studio)).text;
      };
      expect(await upload(JSON.stringify({ qnas: [{ id: 'hub_1', data }] }))).toBe('Completed');
      expect(await count()).toBe(1);
      expect(await upload('{}')).toMatch(/^Error/);
      expect(await count()).toBe(1);
      await world.ask('POST', `/botpress/api/v1/bots/${bot.botId}/mod/nlu/train/de`, undefined, headers);
      const training = async () => (await world.ask('GET', `/botpress/api/v1/bots/${bot.botId}/mod/nlu/training/de`, undefined, headers)).json['status'];
      expect(await training()).toBe('training');
      world.clock.now = new Date(world.clock.now.getTime() + 1_000);
      expect(await training()).toBe('done');
    });
  });
});
