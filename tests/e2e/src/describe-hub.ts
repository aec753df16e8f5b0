import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, quietMs, sleep } from './eventually.ts';
import { describeChatbot } from './describe-chatbot.ts';
import { describeChatwoot } from './describe-chatwoot.ts';
import { describeTenancy } from './describe-tenancy.ts';
import { describeTwilio } from './describe-twilio.ts';
import { FakeGenesys, postAsGenesys, signAsGenesys } from './fake-genesys.ts';
import { bodyOf, entryOf, FakeMeta, postAsMeta, signAsMeta } from './fake-meta.ts';
import { HubProcess } from './hub-process.ts';
import { callJson, onboardTenant, type OnboardedTenant } from './onboard.ts';

type Options = { readonly script: 'start' | 'services'; readonly environment: () => Promise<Record<string, string>> };

// Several processes on two busy cores: what is waited for says how long in `eventually`.
jest.setTimeout(120_000);

const wamid = () => `wamid.${randomBytes(12).toString('hex')}`;
/** The same person writes to every tenant. */
const contact = '15005550123';

/**
 * The hub from outside: a fake Meta and a fake Genesys on loopback that know nothing of it, tenants connected by the published API, real
 * signatures. The same suite runs over both ways to run.
 */
export function describeHub(name: string, { script, environment }: Options): void {
  describe(name, () => {
    const meta = new FakeMeta();
    const genesys = new FakeGenesys();
    const home = mkdtempSync(join(tmpdir(), 'switchboard-e2e-'));
    let hub: HubProcess;
    let acme: OnboardedTenant;
    let globex: OnboardedTenant;
    let hooli: OnboardedTenant;
    /** Credentials that the tests had made. */
    const made: string[] = [];
    const sharedSecret = `shared-app-${randomBytes(16).toString('hex')}`;

    beforeAll(async () => {
      await meta.start();
      await genesys.start();
      hub = await HubProcess.create(script, home, await environment());
      await hub.start();
      acme = await onboardTenant(hub, meta, genesys, 'acme');
      globex = await onboardTenant(hub, meta, genesys, 'globex', { appSecret: sharedSecret });
      hooli = await onboardTenant(hub, meta, genesys, 'hooli', { appSecret: sharedSecret });
    }, 240_000);

    afterAll(async () => {
      await hub?.stop();
      await Promise.all([meta.close(), genesys.close()]);
      rmSync(home, { recursive: true, force: true });
    }, 60_000);

    const webhooks = () => `${hub.url('WEBHOOK_INGEST')}/webhooks/whatsapp`;
    const write = (tenant: OnboardedTenant, text: string, from = contact, id = wamid()) => {
      const body = bodyOf(entryOf(tenant.number, [{ from, id, text, name: 'Ada' }]));
      return postAsMeta(webhooks(), body, signAsMeta(body, tenant.number.appSecret));
    };
    const textsAtAgents = (tenant: OnboardedTenant) => genesys.messagesAt(tenant.integrationId).map((call) => call.body.text);
    const textsAtContacts = (tenant: OnboardedTenant) => meta.sent.filter((call) => call.phoneNumberId === tenant.number.phoneNumberId).map((call) => call.body.text?.body);
    const state = <T = Record<string, unknown>>(tenant: OnboardedTenant, path: string, method = 'GET', body?: unknown) => callJson<T>(method, `${hub.url('API_GATEWAY')}/state/${path}`, { 'x-api-key': tenant.apiKey }, body);

    it('keeps the admin key in a file of its owner alone', () => {
      expect(statSync(join(home, 'admin-key')).mode & 0o777).toBe(0o600);
    });

    it('answers Meta\'s handshake with the challenge for the tenant\'s token, and refuses another', async () => {
      const url = (token: string) => `${webhooks()}?hub.mode=subscribe&hub.challenge=1029384756&hub.verify_token=${token}`;
      const good = await fetch(url(acme.number.verifyToken));
      expect([good.status, await good.text()]).toEqual([200, '1029384756']);
      expect((await fetch(url('wrong'))).status).toBe(403);
    });

    it('brings each tenant\'s contact to that tenant\'s agents, also when one person writes to both', async () => {
      expect(await write(acme, 'to acme')).toBe(200);
      expect(await write(globex, 'to globex')).toBe(200);
      await eventually('both messages', () => textsAtAgents(acme).includes('to acme') && textsAtAgents(globex).includes('to globex') || undefined);
      expect(textsAtAgents(acme)).not.toContain('to globex');
      expect(textsAtAgents(globex)).not.toContain('to acme');
      expect(textsAtAgents(hooli)).toEqual([]);
    });

    it('brings the agent\'s answer to the contact from the right number with the right token', async () => {
      expect(await genesys.reply(acme.integrationId, contact, 'acme answers')).toBe(200);
      expect(await genesys.reply(globex.integrationId, contact, 'globex answers')).toBe(200);
      await eventually('both answers', () => (textsAtContacts(acme).includes('acme answers') && textsAtContacts(globex).includes('globex answers')) || undefined);
      const answer = meta.sent.find((call) => call.body.text?.body === 'acme answers');
      expect(answer).toMatchObject({ phoneNumberId: acme.number.phoneNumberId, token: acme.number.accessToken });
      expect(answer?.body.to.replaceAll(/\D/g, '')).toBe(contact);
      expect(textsAtContacts(globex)).not.toContain('acme answers');
    });

    it('tells the agent that the contact got the answer', async () => {
      const answer = meta.sent.find((call) => call.body.text?.body === 'acme answers');
      const body = bodyOf({ id: acme.number.wabaId, changes: [{ field: 'messages', value: { messaging_product: 'whatsapp', metadata: { display_phone_number: '1', phone_number_id: acme.number.phoneNumberId }, statuses: [{ id: answer?.wamid, status: 'delivered', timestamp: '1790000104', recipient_id: contact }] } }] });
      expect(await postAsMeta(webhooks(), body, signAsMeta(body, acme.number.appSecret))).toBe(200);
      await eventually('the receipt', () => genesys.received.find((call) => call.integrationId === acme.integrationId && call.endpoint === 'receipt' && call.body.status === 'Delivered'));
    });

    it('doubles nothing when every webhook comes five times, at once and one after another', async () => {
      const id = wamid();
      const body = bodyOf(entryOf(acme.number, [{ from: contact, id, text: 'said once' }]));
      const signature = signAsMeta(body, acme.number.appSecret);
      expect(await Promise.all(Array.from({ length: 5 }, () => postAsMeta(webhooks(), body, signature)))).toEqual([200, 200, 200, 200, 200]);
      const replyId = randomBytes(16).toString('hex');
      for (let repetition = 0; repetition < 5; repetition++) expect(await genesys.reply(acme.integrationId, contact, 'answered once', replyId)).toBe(200);
      await eventually('both', () => (textsAtAgents(acme).includes('said once') && textsAtContacts(acme).includes('answered once')) || undefined);
      await sleep(quietMs);
      expect(textsAtAgents(acme).filter((text) => text === 'said once')).toHaveLength(1);
      expect(textsAtContacts(acme).filter((text) => text === 'answered once')).toHaveLength(1);
    });

    it('refuses a wrong signature, a changed byte and another tenant\'s secret with 401 and stores nothing', async () => {
      const stats = async () => [(await state(acme, 'stats')).text, (await state(globex, 'stats')).text];
      const log = async () =>
        Promise.all([
          ...[acme, globex].map(async (tenant) => (await callJson('GET', `${hub.url('WEBHOOK_INGEST')}/tenants/${tenant.tenantId}/webhooks?limit=200`, { authorization: `Bearer ${hub.adminKey}` })).text),
          (await callJson('GET', `${hub.url('WEBHOOK_INGEST')}/quarantine`, { authorization: `Bearer ${hub.adminKey}` })).text,
        ]);
      const before = [await stats(), await log()];
      const forged = bodyOf(entryOf(globex.number, [{ from: '15005559999', id: wamid(), text: 'forged' }]));
      expect(await postAsMeta(webhooks(), forged, signAsMeta(forged, acme.number.appSecret))).toBe(401);
      const own = bodyOf(entryOf(acme.number, [{ from: '15005559999', id: wamid(), text: 'changed' }]));
      expect(await postAsMeta(webhooks(), own.replace('changed', 'changeD'), signAsMeta(own, acme.number.appSecret))).toBe(401);
      expect(await postAsMeta(webhooks(), own, 'sha256=nonsense')).toBe(401);
      expect([401, 404]).toContain(await postAsMeta(acme.whatsapp.webhookUrl, forged, signAsMeta(forged, acme.number.appSecret)));
      const reply = JSON.stringify({ id: 'forged-reply', channel: { id: globex.integrationId, to: { id: contact }, from: { id: globex.integrationId }, time: new Date().toISOString() }, type: 'Text', text: 'forged', direction: 'Outbound' });
      const acmesSecret = genesys.integrations.get(acme.integrationId)?.secret ?? '';
      expect(await postAsGenesys(globex.genesys.webhookUrl, reply, signAsGenesys(reply, acmesSecret))).toBe(401);
      expect([401, 404]).toContain(await postAsGenesys(acme.genesys.webhookUrl, reply, signAsGenesys(reply, acmesSecret)));
      await sleep(quietMs);
      expect([await stats(), await log()]).toEqual(before);
      expect(textsAtAgents(globex)).not.toContain('forged');
      expect((await state(globex, 'mapping/15005559999')).status).toBe(404);
      expect((await state(acme, 'mapping/15005559999')).status).toBe(404);
    });

    it('gives each its own when two tenants share one Meta app and come mixed in one body', async () => {
      const body = bodyOf(
        entryOf(globex.number, [{ from: contact, id: wamid(), text: 'mixed for globex' }]),
        entryOf(hooli.number, [{ from: contact, id: wamid(), text: 'mixed for hooli' }]),
        entryOf(acme.number, [{ from: contact, id: wamid(), text: 'smuggled to acme' }]),
      );
      expect(await postAsMeta(webhooks(), body, signAsMeta(body, sharedSecret))).toBe(200);
      await eventually('both', () => (textsAtAgents(globex).includes('mixed for globex') && textsAtAgents(hooli).includes('mixed for hooli')) || undefined);
      await sleep(quietMs);
      expect(textsAtAgents(globex)).not.toContain('mixed for hooli');
      expect(textsAtAgents(hooli)).toEqual(['mixed for hooli']);
      expect(textsAtAgents(acme)).not.toContain('smuggled to acme');
    });

    it('answers 200 to an unknown number under a known secret and puts it in quarantine; under no known secret it is 404', async () => {
      const stranger = { phoneNumberId: '799999999999999', wabaId: '899999999999999' };
      const body = bodyOf(entryOf(stranger, [{ from: contact, id: wamid(), text: 'for nobody' }]));
      expect(await postAsMeta(webhooks(), body, signAsMeta(body, acme.number.appSecret))).toBe(200);
      const { status, text } = await callJson('GET', `${hub.url('WEBHOOK_INGEST')}/quarantine`, { authorization: `Bearer ${hub.adminKey}` });
      expect(status).toBe(200);
      expect(text).toContain(stranger.phoneNumberId);
      expect(await postAsMeta(webhooks(), body, signAsMeta(body, 'nobody\'s secret'))).toBe(404);
    });

    it('answers another tenant as if the thing did not exist', async () => {
      const onlyAcmes = '15005550177';
      await write(acme, 'only to acme', onlyAcmes);
      const mapping = await eventually('the mapping', async () => {
        const reply = await state<{ conversationId: string }>(acme, `mapping/${onlyAcmes}`);
        return reply.status === 200 ? reply.json : undefined;
      });
      for (const path of [`mapping/${onlyAcmes}`, `conversations/${mapping.conversationId}`, `conversations/${mapping.conversationId}/messages`]) {
        expect((await state(acme, path)).status).toBe(200);
        const foreign = await state<{ error: string; requestId?: string }>(globex, path);
        const missing = await state<{ error: string; requestId?: string }>(globex, path.replace(onlyAcmes, '15000000000').replace(mapping.conversationId, 'cnv_00000000000000000000000000'));
        expect(foreign.status).toBe(404);
        expect({ ...foreign.json, requestId: '' }).toEqual({ ...missing.json, requestId: '' });
      }
      expect((await state(globex, `mapping/${onlyAcmes}`)).json).toMatchObject({ error: 'Mapping not found' });
      expect((await state(globex, `conversations/${mapping.conversationId}/messages`, 'POST', { text: 'smuggled' })).status).toBe(404);
    });

    it('believes no identity header from outside and no key but a tenant\'s own', async () => {
      const url = `${hub.url('API_GATEWAY')}/state/stats`;
      const asked = await callJson<{ tenantId: string }>('GET', url, { 'x-api-key': acme.apiKey, 'x-tenant-id': 'globex', 'x-switchboard-internal': 'forged' });
      expect(asked.json.tenantId).toBe('acme');
      expect((await callJson('GET', url, { 'x-tenant-id': 'globex' })).status).toBe(401);
      expect((await callJson('GET', url, { 'x-api-key': `${acme.apiKey.slice(0, -1)}${acme.apiKey.endsWith('x') ? 'y' : 'x'}` })).status).toBe(401);
      expect((await callJson('GET', `${hub.url('STATE_MANAGER')}/state/stats`, { 'x-tenant-id': 'globex' })).status).toBe(401);
      expect((await callJson('GET', `${hub.url('TENANT_SERVICE')}/tenants`, { authorization: `Bearer ${acme.apiKey}` })).status).toBe(401);
    });

    it('sends the tenant\'s own message to the contact, and refuses outside the window', async () => {
      const { json: mapping } = await state<{ conversationId: string }>(acme, `mapping/${contact}`);
      const sent = await state(acme, `conversations/${mapping.conversationId}/messages`, 'POST', { text: 'from the system' });
      expect(sent.status).toBe(202);
      await eventually('the message', () => textsAtContacts(acme).includes('from the system') || undefined);
      const quiet = await state<{ conversationId: string }>(acme, 'mapping', 'POST', { waId: '15005550188', contactName: 'Never wrote' });
      expect(quiet.status).toBe(201);
      expect((await state(acme, 'mapping', 'POST', { waId: '15005550188', contactName: 'Never wrote' })).json).toMatchObject({ conversationId: quiet.json.conversationId });
      expect((await state(acme, `conversations/${quiet.json.conversationId}/messages`, 'POST', { text: 'too early' })).json).toMatchObject({ code: 'message.window_closed' });
    });

    it('goes on after kill -9 in the middle of 500 messages: all arrive, none twice at a contact, in order', async () => {
      const tenants = [acme, globex];
      const contacts = Array.from({ length: 10 }, (_, index) => `1500777${String(index).padStart(4, '0')}`);
      // Each contact must have written before an agent can answer.
      for (const tenant of tenants) for (const from of contacts) expect(await write(tenant, `start ${from}`, from)).toBe(200);
      await eventually('all conversations', () => tenants.every((tenant) => contacts.every((from) => textsAtAgents(tenant).includes(`start ${from}`))) || undefined, 60_000);

      const perContact = 25;
      const agentsBefore = genesys.received.length;
      /** Posts until acknowledged, as providers do. */
      const persist = async (post: () => Promise<number>) => {
        for (;;) {
          const status = await post().catch(() => 0);
          if (status === 200) return;
          await sleep(150);
        }
      };
      // 10 contacts × 2 tenants × 25 = 500, half of them from contacts, half from agents; one after another in each conversation.
      const posting = tenants.flatMap((tenant, tenantIndex) =>
        contacts.map(async (from, contactIndex) => {
          const isInbound = (tenantIndex + contactIndex) % 2 === 0;
          for (let index = 0; index < perContact; index++) {
            const id = isInbound ? wamid() : randomBytes(16).toString('hex');
            const text = `${from} #${String(index).padStart(2, '0')}`;
            await persist(() => (isInbound ? write(tenant, text, from, id) : genesys.reply(tenant.integrationId, from, text, id)));
          }
        }),
      );
      await eventually('some of the messages', () => (genesys.received.length > agentsBefore + 60 ? true : undefined), 60_000);
      await hub.kill();
      await hub.start();
      await Promise.all(posting);

      const unknown = new Set<string>();
      const expected = (tenantIndex: number, wanted: boolean) => contacts.filter((_, contactIndex) => ((tenantIndex + contactIndex) % 2 === 0) === wanted);
      const unique = (texts: (string | undefined)[]) => [...new Set(texts)];
      for (const [tenantIndex, tenant] of tenants.entries()) {
        for (const from of expected(tenantIndex, true)) {
          const texts = await eventually(`25 messages of ${from} at ${tenant.tenantId}'s agents`, () => {
            const all = unique(textsAtAgents(tenant)).filter((text) => text?.startsWith(`${from} #`));
            return all.length >= perContact ? all : undefined;
          }, 90_000);
          expect(texts).toEqual([...texts].toSorted());
          // A repetition carries the same messageId and time: that is what Genesys tells a repetition by.
          const calls = genesys.messagesAt(tenant.integrationId).filter((call) => call.body.text?.startsWith(`${from} #`));
          expect(new Set(calls.map((call) => `${call.body.channel.messageId} ${call.body.channel.time}`)).size).toBe(perContact);
        }
        for (const from of expected(tenantIndex, false)) {
          const conversation = (await state<{ conversationId: string }>(tenant, `mapping/${from}`)).json.conversationId;
          await eventually(`25 answers to ${from} from ${tenant.tenantId}`, async () => {
            const { json } = await state<{ data: { direction: string; content: { text?: string }; deliveries: { status: string; error?: { code: string } | null }[] }[] }>(tenant, `conversations/${conversation}/messages?limit=200`);
            for (const message of json.data) if (message.deliveries.some((delivery) => delivery.error?.code === 'delivery.outcome_unknown')) unknown.add(`${tenant.tenantId} ${message.content.text}`);
            const arrived = textsAtContacts(tenant).filter((text) => text?.startsWith(`${from} #`));
            return Array.from({ length: perContact }, (_, index) => `${from} #${String(index).padStart(2, '0')}`).every((text) => arrived.includes(text) || unknown.has(`${tenant.tenantId} ${text}`)) || undefined;
          }, 90_000);
        }
      }
      await sleep(quietMs);
      for (const tenant of tenants) {
        const texts = textsAtContacts(tenant).filter((text) => text?.startsWith('1500777'));
        expect(texts).toHaveLength(new Set(texts).size);
        for (const from of contacts) {
          const own = texts.filter((text) => text?.startsWith(from));
          expect(own).toEqual([...own].toSorted());
        }
      }
      // Calls under way at the moment of the kill, one a conversation at most.
      expect(unknown.size).toBeLessThanOrEqual(contacts.length);
    }, 300_000);

    it('counts for billing what is stored of each tenant, every message once, also across the kill', async () => {
      for (const tenant of [acme, globex, hooli]) {
        const stored = (await state<{ totalMessages: number }>(tenant, 'stats')).json.totalMessages;
        const used = async () => (await callJson<{ messages: { total: number } }>('GET', `${hub.url('API_GATEWAY')}/tenant/usage`, { 'x-api-key': tenant.apiKey })).json.messages.total;
        // Told once a minute.
        await eventually(`a usage of ${stored} messages of ${tenant.tenantId}`, async () => ((await used()) === stored ? stored : undefined), 90_000);
      }
    });

    describeTenancy({ hub: () => hub, acme: () => acme, globex: () => globex, write: (tenant, text) => write(tenant, text), secrets: made });

    describeChatwoot({ hub: () => hub, secrets: made });

    describeChatbot({ hub: () => hub, secrets: made });

    describeTwilio({ hub: () => hub, secrets: made });

    it('has written no secret into any log line', () => {
      const secrets = [...made, ...[acme, globex, hooli].flatMap((tenant) => [
        tenant.apiKey,
        tenant.number.accessToken,
        tenant.number.appSecret,
        tenant.number.verifyToken,
        tenant.organization.clientSecret,
        genesys.integrations.get(tenant.integrationId)?.secret ?? '',
      ])];
      // There were logs, of every service.
      for (const service of ['api-gateway', 'auth-service', 'state-manager', 'webhook-ingest', 'whatsapp-connector', 'genesys-connector', 'chatwoot-connector', 'tenant-service', 'botpress-connector', 'twilio-connector']) expect(hub.output).toContain(`"service":"${service}"`);
      for (const secret of [...secrets, ...genesys.tokens.keys(), ...hub.installationSecrets]) {
        expect(secret.length).toBeGreaterThan(10);
        expect(hub.output.includes(secret)).toBe(false);
      }
    });

    it('drains and ends with 0 when it is told to stop', async () => {
      expect(await hub.stop()).toBe(0);
    }, 60_000);
  });
}
