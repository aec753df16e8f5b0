import { beforeAll, describe, expect, it } from '@jest/globals';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { providers } from '@switchboard/providers';
import { randomUUID } from 'node:crypto';
import { eventually, quietMs, sleep } from './eventually.ts';
import type { HubProcess } from './hub-process.ts';
import { callJson, type ConnectionRecord } from './onboard.ts';
import { Sandbox, type ChatwootAccount, type ChatwootConversation } from './sandbox.ts';

/** A tenant with a WhatsApp number and a Chatwoot inbox in somebody's account. */
type Tenant = { readonly tenantId: string; readonly apiKey: string; readonly phoneNumberId: string; readonly desk: ConnectionRecord & { readonly settings: Record<string, string> }; readonly account: ChatwootAccount };

/** The same person writes to every tenant. */
const contact = '15005550321';

/**
 * Chatwoot as the desk of three tenants at once: two share an account of the platform, one has its own server. All three accounts have the number 1 or
 * inboxes of the same numbers: only the server tells them apart.
 */
export function describeChatwoot({ hub, secrets }: { hub: () => HubProcess; secrets: string[] }): void {
  describe('with Chatwoot at the desk', () => {
    const sandbox = new Sandbox(hub);
    const admin = () => ({ authorization: `Bearer ${hub().adminKey}` });
    const gateway = <T = Record<string, unknown>>(method: string, path: string, headers: Record<string, string>, body?: unknown) => callJson<T>(method, `${hub().url('API_GATEWAY')}${path}`, headers, body);
    let shared: ChatwootAccount;
    let own: ChatwootAccount;
    let stark: Tenant;
    let wayne: Tenant;
    let tyrell: Tenant;

    beforeAll(async () => {
      shared = await sandbox.chatwootAccount({ accountId: 1, name: 'Of the platform', agents: ['Bruno'] });
      own = await sandbox.chatwootAccount({ server: 'tyrell', accountId: 1, name: 'Tyrell', agents: ['Rachael'] });
      secrets.push(shared.administrator.token, own.administrator.token);
      const platform = await gateway<{ id: string; inboxes: number }>('POST', '/platform/connections', admin(), { type: 'chatwoot', name: 'Shard 1', credentials: shared.platform });
      expect([platform.status, platform.text]).toEqual([201, platform.text]);
      stark = await onboard('stark', { mode: 'shared' }, shared);
      wayne = await onboard('wayne', { mode: 'shared' }, shared);
      tyrell = await onboard('tyrell', own.credentials, own);
    }, 120_000);

    async function onboard(tenantId: string, credentials: Record<string, unknown>, account: ChatwootAccount): Promise<Tenant> {
      const created = await gateway<{ apiKey: string }>('POST', '/tenants', admin(), { tenantId, name: tenantId, plan: 'enterprise', rateLimit: 100_000 });
      expect([tenantId, created.status]).toEqual([tenantId, 201]);
      const meta = await sandbox.call<{ credentials: { phoneNumberId: string; accessToken: string } }>('POST', 'whatsapp/accounts', {});
      const key = { 'x-api-key': created.json.apiKey };
      secrets.push(created.json.apiKey, meta.credentials.accessToken);
      const channel = await gateway<ConnectionRecord>('POST', '/tenant/credentials', key, meta);
      const desk = await gateway<Tenant['desk']>('POST', '/tenant/credentials', key, { type: 'chatwoot', role: 'desk', credentials });
      expect([channel.json.status, desk.json.status, desk.json.statusReason]).toEqual(['active', 'active', null]);
      return { tenantId, apiKey: created.json.apiKey, phoneNumberId: meta.credentials.phoneNumberId, desk: desk.json, account };
    }

    const inboxOf = ({ desk }: Tenant) => desk.settings['inboxId'] ?? desk.routingIdentifiers['inboxId'] ?? desk.routingIdentifiers['sharedInboxId'] ?? '';
    const write = ({ phoneNumberId }: Tenant, body: Record<string, unknown>) => sandbox.call('POST', `whatsapp/${phoneNumberId}/receive`, { from: contact, name: 'Ada', ...body });
    const atAgents = ({ account, ...tenant }: Tenant) => sandbox.conversations(account, inboxOf({ account, ...tenant }));
    const saidIn = (conversations: readonly ChatwootConversation[]) => conversations.flatMap(({ messages }) => messages.map(({ text }) => text));
    const atContact = async ({ phoneNumberId }: Tenant) =>
      (await sandbox.call<{ data: { body: { to?: string; text?: { body: string }; type: string } }[] }>('GET', `whatsapp/${phoneNumberId}/sent`)).data.flatMap(({ body }) => body.text?.body ?? []);
    const mirrored = (tenant: Tenant, text: string) => eventually(`"${text}" at ${tenant.tenantId}'s agents`, async () => (await atAgents(tenant)).find(({ messages }) => messages.some((message) => message.text === text)));

    it('gives each tenant an inbox of its own in the shared account, which has one webhook for all', async () => {
      expect(inboxOf(stark)).not.toBe(inboxOf(wayne));
      const account = await sandbox.call<{ webhooks: { url: string }[]; inboxes: { id: number }[] }>('GET', `chatwoot/${shared.server}/accounts/1`);
      expect(account.webhooks.map(({ url }) => new URL(url).pathname)).toEqual(['/api/v1/webhooks/chatwoot']);
      expect(account.inboxes.map(({ id }) => String(id))).toEqual(expect.arrayContaining([inboxOf(stark), inboxOf(wayne)]));
      const { json } = await gateway<{ data: { inboxes: number; tenants: number }[] }>('GET', '/platform/connections', admin());
      expect(json.data).toMatchObject([{ name: 'Shard 1', inboxes: 2, tenants: 2 }]);
    });

    it('brings what one person writes to three tenants to the agents of each, in one conversation each, and to nobody else', async () => {
      const tenants = [stark, wayne, tyrell];
      await Promise.all(tenants.flatMap((tenant) => ['first', 'second', 'third'].map((text) => write(tenant, { text: `${text} to ${tenant.tenantId}` }))));
      for (const tenant of tenants) {
        await mirrored(tenant, `first to ${tenant.tenantId}`);
        await mirrored(tenant, `second to ${tenant.tenantId}`);
        await mirrored(tenant, `third to ${tenant.tenantId}`);
      }
      await sleep(quietMs);
      for (const tenant of tenants) {
        const conversations = await atAgents(tenant);
        expect(conversations).toHaveLength(1);
        expect(saidIn(conversations).toSorted()).toEqual(['first', 'second', 'third'].map((text) => `${text} to ${tenant.tenantId}`));
      }
      // In an account that tenants share, agents see each other's contacts: neither name the number.
      expect((await sandbox.conversations(shared)).map((conversation) => conversation.contact.phone_number)).toEqual([null, null]);
    });

    it('brings an agent\'s answer with its file to that tenant\'s contact alone, and a private note to nobody', async () => {
      for (const tenant of [stark, wayne, tyrell]) {
        const [conversation] = await atAgents(tenant);
        const id = conversation?.conversationId ?? '';
        await sandbox.act(tenant.account, id, 'reply', { text: `a note of ${tenant.tenantId}`, private: true });
        const replied = await sandbox.act(tenant.account, id, 'reply', { text: `answer of ${tenant.tenantId}` });
        expect(new Set(replied.attempts)).toEqual(new Set([200]));
      }
      for (const tenant of [stark, wayne, tyrell]) await eventually(`the answer of ${tenant.tenantId}`, async () => (await atContact(tenant)).includes(`answer of ${tenant.tenantId}`) || undefined);
      await sleep(quietMs);
      for (const tenant of [stark, wayne, tyrell]) expect(await atContact(tenant)).toEqual([`answer of ${tenant.tenantId}`]);
    });

    it('shows a tenant the conversations of its own inbox alone', async () => {
      for (const tenant of [stark, wayne, tyrell]) {
        const { status, json, text } = await gateway<{ data: { inboxId: string }[] }>('GET', '/tenant/chatwoot/conversations', { 'x-api-key': tenant.apiKey });
        expect([status, json.data.map(({ inboxId }) => inboxId)]).toEqual([200, [inboxOf(tenant)]]);
        expect(text).not.toContain('pubsub_token');
      }
    });

    it('takes no one\'s word for another\'s account, though the numbers are the same', async () => {
      const webhook = (inboxId: string) => JSON.stringify({ event: 'message_created', id: 990_001, account: { id: 1 }, inbox: { id: Number(inboxId) }, message_type: 'outgoing', content: 'forged', private: false, sender: { id: 1, name: 'x', type: 'user' }, conversation: { id: 1, inbox_id: Number(inboxId), contact_inbox: { source_id: contact } } });
      // Tyrell runs its server: it knows the secret that its own webhook is signed with.
      const secret = (await callJson<{ secret: string }>('GET', `${String(own.credentials['apiUrl'])}/api/v1/accounts/1/inboxes/${inboxOf(tyrell)}`, { 'api-access-token': own.administrator.token })).json.secret;
      expect(secret.length).toBeGreaterThan(10);
      const post = async (url: string, inboxId: string) => {
        const body = webhook(inboxId);
        const headers = signWebhook(providers.chatwoot.webhook.auth, { url, body: Buffer.from(body) }, secret);
        return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
      };
      const ingest = hub().url('WEBHOOK_INGEST');
      const seenByOthers = async () =>
        Promise.all([stark, wayne].map(async (tenant) => [
          await atContact(tenant),
          (await gateway('GET', '/state/stats', { 'x-api-key': tenant.apiKey })).text,
          (await gateway('GET', `/tenants/${tenant.tenantId}/webhooks?limit=200`, admin())).text,
        ]));
      const before = await seenByOthers();
      // It may say what it likes of its own account 1; that there is another one is nothing to it.
      for (const { desk, ...tenant } of [stark, wayne]) {
        await post(`${ingest}/api/v1/webhooks/chatwoot`, inboxOf({ desk, ...tenant }));
        expect(await post(`${ingest}/webhooks/chatwoot/${desk.id}`, inboxOf({ desk, ...tenant }))).toBe(401);
      }
      await sleep(quietMs);
      expect(await seenByOthers()).toEqual(before);
    });

    it('goes on in the same conversation when the agent has resolved it and the contact writes again', async () => {
      const [before] = await atAgents(stark);
      await sandbox.act(shared, before?.conversationId ?? '', 'status', { status: 'resolved' });
      await write(stark, { text: 'one more thing' });
      const after = await mirrored(stark, 'one more thing');
      expect([after.conversationId, after.status]).toEqual([before?.conversationId, 'open']);
    });

    it('moves a tenant to an account of its own while messages go on, also after kill -9: nothing is lost, doubled or shown to its neighbours', async () => {
      const neighbours = await sandbox.conversations(shared, inboxOf(stark));
      const inboxBefore = inboxOf(wayne);
      const newAccount = await sandbox.chatwootAccount({ server: 'wayne', accountId: 1, name: 'Wayne', agents: ['Alfred'] });
      secrets.push(newAccount.administrator.token);
      const key = { 'x-api-key': wayne.apiKey };
      const to = await gateway<Tenant['desk']>('POST', '/tenant/credentials', key, { type: 'chatwoot', role: 'desk', credentials: newAccount.credentials });
      expect([to.json.status, to.json.statusReason]).toEqual(['active', null]);
      const [old] = await atAgents(wayne);
      await sandbox.act(shared, old?.conversationId ?? '', 'reply', { text: 'a note that moves along', private: true });

      const started = await gateway('POST', '/tenant/chatwoot/migrate', key, { toConnectionId: to.json.id });
      expect([started.status, started.text]).toEqual([202, started.text]);
      const state = () => gateway<{ phase: string; counts: { messages: { done: number } } }>('GET', '/tenant/chatwoot/migrate', key);
      const written: string[] = [];
      const answered: string[] = [];
      let isOver = false;
      /** As WhatsApp does: again, under the same id, until it is taken. */
      const persist = async (text: string) => {
        const id = `wamid.${randomUUID()}`;
        for (;;) {
          const taken = await write(wayne, { text, id }).then(({ attempts }) => (attempts as number[]).includes(200), () => false);
          if (taken) return;
          await sleep(200);
        }
      };
      const traffic = (async () => {
        for (let n = 0; !isOver && n < 60; n++) {
          written.push(`on the way ${n}`);
          await persist(`on the way ${n}`);
          // Agents of the old inbox go on as long as it is there.
          const answer = `from the old desk ${n}`;
          if (n % 4 === 0 && (await sandbox.act(shared, old?.conversationId ?? '', 'reply', { text: answer }).then(({ attempts }) => attempts.includes(200), () => false))) answered.push(answer);
          await sleep(300);
        }
      })();
      await eventually('the first copies', async () => ((await state()).json.counts.messages.done > 0 ? true : undefined), 60_000);
      // The power goes, for the hub and for the stand-ins alike.
      await hub().kill();
      await hub().start();
      await eventually('the end of the move', async () => ((await state().catch(() => undefined))?.json.phase === 'done' ? true : undefined), 150_000);
      isOver = true;
      await traffic;

      const moved = { ...wayne, account: newAccount, desk: to.json };
      await write(moved, { text: 'after the move' });
      await mirrored(moved, 'after the move');
      for (const text of answered) await eventually(`"${text}" at the contact`, async () => (await atContact(wayne)).includes(text) || undefined);
      await sleep(quietMs);
      const [thread, ...others] = await atAgents(moved);
      expect(others).toEqual([]);
      const ofContact = (thread?.messages ?? []).filter(({ type }) => type === 'incoming').map(({ text }) => written.findLast((said) => text?.endsWith(said)) ?? text);
      expect(ofContact.filter((text) => written.includes(text ?? ''))).toEqual(written);
      expect(thread?.messages.filter((message) => message.private && message.text?.includes('a note that moves along'))).toHaveLength(1);
      for (const text of answered) {
        expect(thread?.messages.filter((message) => message.text?.endsWith(text))).toHaveLength(1);
        expect((await atContact(wayne)).filter((said) => said === text)).toHaveLength(1);
      }
      await sandbox.act(newAccount, thread?.conversationId ?? '', 'reply', { text: 'from the new desk' });
      await eventually('the answer', async () => (await atContact(wayne)).includes('from the new desk') || undefined);
      expect((await atContact(wayne)).filter((text) => text === 'answer of wayne')).toHaveLength(1);
      // The old inbox is gone; the neighbour's is as it was.
      const account = await sandbox.call<{ inboxes: { id: number }[] }>('GET', `chatwoot/${shared.server}/accounts/1`);
      expect(account.inboxes.map(({ id }) => String(id))).not.toContain(inboxBefore);
      expect(await sandbox.conversations(shared, inboxOf(stark))).toEqual(neighbours);
    }, 300_000);
  });
}
