import { serverOf } from '@switchboard/providers';
import { isShared } from '../platform/platform-account.ts';
import { chatwootCall, fetchVersion, listInboxes, readNothing, type ChatwootInbox } from './chatwoot-client.ts';
import { ensureAccountWebhook, ensureBot, ensureInbox, ensureInboxWebhook, isOurs, type Part } from './chatwoot-parts.ts';
import { chatwootPlatform } from './chatwoot-platform.ts';
import { mergeLearned } from './merge-learned.ts';
import { unverified, type Account, type AskContext, type ConnectContext, type ConnectOutcome, type ConnectStrategy, type Learned, type RemoveContext, type RemoveOutcome } from './connect-strategy.ts';

/**
 * Chatwoot. A desk is an API inbox whose own webhook leads to the hub; a channel is any inbox, told of by a webhook of its account. In the
 * platform's account the inbox is all that is made: one webhook tells of all. Settings this strategy writes: `inboxOrigin` and `botOrigin`: `given`
 * or `created`; `webhookSecretOrigin`: `given`, or `generated` until the server has said its own; what the server says of itself and of the inbox.
 */
export const chatwoot: ConnectStrategy = {
  platform: chatwootPlatform,
  makesParts: true,
  fixedFields: ['mode', 'apiUrl', 'accountId', 'inboxId', 'inboxType', 'platformConnectionId'],

  isSameAccount(posted, existing) {
    const isSame = (name: string) => posted.settings[name] === existing.settings[name];
    if (!['mode', 'inboxType', 'inboxName', 'websiteUrl'].every(isSame)) return false;
    if (isShared(posted)) return posted.settings['platformConnectionId'] === undefined || isSame('platformConnectionId');
    return posted.routingIdentifiers['account'] === existing.routingIdentifiers['account'] && existing.settings['inboxOrigin'] === 'created';
  },

  generatedFields: ({ settings }) => [
    ...(isShared({ settings }) ? ['inboxId'] : settings['inboxOrigin'] === 'created' ? ['inboxId'] : []),
    ...(settings['botOrigin'] === 'created' ? ['botToken'] : []),
    ...(settings['webhookSecretOrigin'] === 'given' ? [] : ['webhookSecret']),
  ],

  identify(account, hosts) {
    const { accountId = '', inboxId = account.routingIdentifiers['inboxId'] } = account.settings;
    return isShared(account) || hosts['api'] === undefined ? account : { ...account, routingIdentifiers: { ...account.routingIdentifiers, ...ownIdentifiers(hosts['api'], accountId, inboxId) } };
  },

  complete(posted, previous, generateSecret) {
    const learned = (...names: string[]) => Object.fromEntries(names.flatMap((name) => (previous?.settings[name] === undefined ? [] : [[name, previous.settings[name]]])));
    // In the platform's account nothing of a webhook is the connection's own.
    if (isShared(posted)) return { ...posted, routingIdentifiers: { ...previous?.routingIdentifiers }, settings: { ...learned('inboxId', 'inboxOrigin', 'websiteToken', 'inboxIdentifier', 'platformConnectionId'), ...posted.settings } };
    const given = posted.routingIdentifiers['inboxId'];
    const isKnown = given === undefined || given === previous?.settings['inboxId'];
    const inbox: Record<string, string> = isKnown ? { inboxOrigin: 'created', ...learned('inboxId', 'inboxOrigin', 'websiteToken', 'inboxIdentifier') } : { inboxId: given, inboxOrigin: 'given' };
    const bot = posted.credentials['botToken'] === undefined && previous?.settings['botOrigin'] === 'created' ? previous.credentials['botToken'] : undefined;
    const webhookSecret = posted.credentials['webhookSecret'];
    return {
      routingIdentifiers: isKnown ? { ...previous?.routingIdentifiers, ...posted.routingIdentifiers } : posted.routingIdentifiers,
      settings: { ...inbox, ...(bot === undefined ? {} : learned('botId', 'botOrigin')), ...learned('accountWebhookId'), ...posted.settings, webhookSecretOrigin: webhookSecret === undefined ? 'generated' : 'given' },
      credentials: { ...(bot === undefined ? {} : { botToken: bot }), ...posted.credentials, webhookSecret: webhookSecret ?? generateSecret() },
    };
  },

  async verify(account, context) {
    if (context.role === 'desk' && account.settings['inboxType'] === 'website') return unverified('A desk needs an API inbox: leave inboxType out, or connect the website with role "channel".', false);
    const probed = await fetchVersion(context);
    if (probed.kind === 'unverified') return probed;
    const { version } = probed;
    const call = chatwootCall(context, account);
    const inboxes = await listInboxes(call, account);
    if ('kind' in inboxes) return inboxes;
    const isOwn = !isShared(account);
    const found = await ensureInbox(call, inboxes, { account, context, webhookUrl: isOwn && context.role === 'desk' ? context.webhookUrl : undefined });
    if (found.kind === 'unverified') return found;
    const { inbox, isMade } = found;
    if (context.role === 'desk' && inbox.channel_type !== 'Channel::Api') return unverified(`Inbox ${inbox.id} is no API inbox, and a desk needs one. Name another one, or leave inboxId out to have it made.`, false, 'provider.rejected');

    const wanted = { account, version, webhookUrl: context.webhookUrl, keep: context.keep };
    const nothing: Part = { kind: 'part', learned: {} };
    const webhook = !isOwn ? nothing : context.role === 'desk' ? await ensureInboxWebhook(call, inbox, isMade, wanted) : await ensureAccountWebhook(call, wanted);
    if (webhook.kind === 'unverified') return webhook;
    const bot = context.role === 'desk' || !isOwn ? nothing : await ensureBot(call, `Switchboard ${context.connectionId}`, wanted);
    if (bot.kind === 'unverified') return bot;
    const botId = bot.learned.settings?.['botId'] ?? account.settings['botId'];
    if (context.role === 'channel' && botId !== undefined) {
      const set = readNothing(await call('POST', `/inboxes/${inbox.id}/set_agent_bot`, { agent_bot: Number(botId) }), 'give the inbox its agent bot', account);
      if ('kind' in set) return set;
    }
    return { kind: 'verified', learned: mergeLearned([learnedOf(account, context, version, inbox), webhook.learned, bot.learned]) };
  },

  ask: (account, context) => askAccount(account, context),

  async remove(account, context) {
    return isShared(account) ? await removeSharedInbox(account, context) : await removeWebhooks(account, context);
  },
};

function ownIdentifiers(api: string, accountId: string, inboxId: string | undefined): Record<string, string> {
  const place = `${serverOf(api)}/${accountId}`;
  const inbox: Record<string, string> = inboxId === undefined ? {} : { inbox: `${place}/${inboxId}`, inboxKey: `${accountId}/${inboxId}`, inboxId };
  return { ...inbox, account: place, accountKey: accountId };
}

function learnedOf(account: Account, { hosts }: ConnectContext, version: string, inbox: ChatwootInbox): Learned {
  const { accountId = '' } = account.settings;
  const [inboxId, api] = [String(inbox.id), hosts['api'] ?? ''];
  const ofInbox = {
    inboxId,
    version,
    ...(inbox.channel_type === 'Channel::Api' ? { inboxType: 'api' } : inbox.channel_type === 'Channel::WebWidget' ? { inboxType: 'website' } : {}),
    ...(typeof inbox.website_token === 'string' && { websiteToken: inbox.website_token }),
    ...(typeof inbox.inbox_identifier === 'string' && { inboxIdentifier: inbox.inbox_identifier }),
  };
  if (isShared(account)) {
    return { routingIdentifiers: { inbox: `${serverOf(api)}/${accountId}/${inboxId}`, sharedInbox: `${accountId}/${inboxId}`, sharedInboxId: inboxId }, settings: ofInbox };
  }
  // Where it was asked: in the sandbox that is not what the tenant gave.
  return { routingIdentifiers: ownIdentifiers(api, accountId, inboxId), settings: { apiUrl: api, ...ofInbox } };
}

async function askAccount(account: Account, context: AskContext): Promise<ConnectOutcome> {
  const probed = await fetchVersion(context);
  if (probed.kind === 'unverified') return probed;
  const inboxes = await listInboxes(chatwootCall(context, account), account);
  if ('kind' in inboxes) return inboxes;
  const { inboxId } = account.settings;
  if (inboxId !== undefined && !inboxes.some(({ id }) => String(id) === inboxId)) return unverified(`Inbox ${inboxId} is gone at Chatwoot, or the token may not see it. Post the credentials again.`, false, 'provider.not_found');
  return { kind: 'verified' };
}

/** An inbox in the platform's account is the tenant's alone, and nobody else's to look into when the tenant has left. */
async function removeSharedInbox(account: Account, context: RemoveContext): Promise<RemoveOutcome> {
  const { inboxId } = account.settings;
  if (inboxId === undefined) return { kind: 'nothing_to_remove', reason: 'The hub has made no inbox for this connection.' };
  if (await context.isInUseElsewhere('inbox')) return { kind: 'nothing_to_remove', reason: 'Another connection uses the same inbox.' };
  const answer = await chatwootCall(context, account)('DELETE', `/inboxes/${inboxId}`);
  if (answer.kind === 'answer' && answer.status === 404) return { kind: 'nothing_to_remove', reason: 'The inbox is gone already.' };
  const removed = readNothing(answer, 'remove an inbox', account);
  return 'kind' in removed ? { kind: 'failed', reason: removed.reason } : { kind: 'removed' };
}

/** In the tenant's own account its inbox stays with its history, also one that the hub has made. */
async function removeWebhooks(account: Account, context: RemoveContext): Promise<RemoveOutcome> {
  const call = chatwootCall(context, account);
  const { inboxId, accountWebhookId, botId, botOrigin } = account.settings;
  const stays = inboxId === undefined ? undefined : `Inbox ${inboxId} stays with its history; delete it at Chatwoot when nobody needs it.`;
  let removals = 0;
  if (context.role === 'desk' && inboxId !== undefined) {
    const inboxes = await listInboxes(call, account);
    if ('kind' in inboxes) return { kind: 'failed', reason: inboxes.reason };
    const inbox = inboxes.find(({ id }) => String(id) === inboxId);
    if (inbox !== undefined && isOurs(inbox.webhook_url, context.webhookUrl)) {
      const cleared = readNothing(await call('PATCH', `/inboxes/${inboxId}`, { channel: { webhook_url: '' } }), 'remove the webhook of an inbox', account);
      if ('kind' in cleared) return { kind: 'failed', reason: cleared.reason };
      removals++;
    }
  }
  const paths = [...(accountWebhookId === undefined ? [] : [`/webhooks/${accountWebhookId}`]), ...(botOrigin === 'created' && botId !== undefined ? [`/agent_bots/${botId}`] : [])];
  for (const path of paths) {
    const answer = await call('DELETE', path);
    if (answer.kind === 'answer' && answer.status === 404) continue;
    const removed = readNothing(answer, 'remove what the hub has added', account);
    if ('kind' in removed) return { kind: 'failed', reason: removed.reason };
    removals++;
  }
  if (removals > 0) return { kind: 'removed', reason: stays };
  return { kind: 'nothing_to_remove', reason: ['The hub has no webhook there any more.', stays].filter((text) => text !== undefined).join(' ') };
}
