import { serverOf } from '@switchboard/providers';
import { chatwootCall, fetchVersion, listInboxes, readNothing } from './chatwoot-client.ts';
import { ensureAccountWebhook, ensureBot, platformBotName } from './chatwoot-parts.ts';
import type { PlatformStrategy } from './connect-strategy.ts';

/** A Chatwoot account of the platform: one webhook and one agent bot for the inboxes of all its tenants. */
export const chatwootPlatform: PlatformStrategy = {
  async verify(account, context) {
    const probed = await fetchVersion(context);
    if (probed.kind === 'unverified') return probed;
    const { version } = probed;
    const call = chatwootCall(context, account);
    const inboxes = await listInboxes(call, account);
    if ('kind' in inboxes) return inboxes;
    // A repetition finds both by address and name.
    const wanted = { account, version, webhookUrl: context.webhookUrl, keep: async () => true };
    const webhook = await ensureAccountWebhook(call, wanted);
    if (webhook.kind === 'unverified') return webhook;
    const bot = await ensureBot(call, platformBotName(context), wanted);
    if (bot.kind === 'unverified') return bot;
    const { accountId = '' } = account.settings;
    const api = context.hosts['api'] ?? '';
    return {
      kind: 'verified',
      learned: {
        routingIdentifiers: { account: `${serverOf(api)}/${accountId}` },
        settings: { apiUrl: api, version, ...webhook.learned.settings, ...bot.learned.settings },
        credentials: { ...webhook.learned.credentials, ...bot.learned.credentials },
      },
    };
  },

  async ask(account, context) {
    const probed = await fetchVersion(context);
    if (probed.kind === 'unverified') return probed;
    const inboxes = await listInboxes(chatwootCall(context, account), account);
    return 'kind' in inboxes ? inboxes : { kind: 'verified' };
  },

  async remove(account, context) {
    const call = chatwootCall(context, account);
    const { accountWebhookId, botId, botOrigin } = account.settings;
    const paths = [...(accountWebhookId === undefined ? [] : [`/webhooks/${accountWebhookId}`]), ...(botOrigin === 'created' && botId !== undefined ? [`/agent_bots/${botId}`] : [])];
    for (const path of paths) {
      const answer = await call('DELETE', path);
      if (answer.kind === 'answer' && answer.status === 404) continue;
      const removed = readNothing(answer, 'remove what the hub has added', account);
      if ('kind' in removed) return { kind: 'failed', reason: removed.reason };
    }
    return { kind: 'removed' };
  },
};
