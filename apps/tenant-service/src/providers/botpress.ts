import { serverOf } from '@switchboard/providers';
import jwt from 'jsonwebtoken';
import { z } from 'zod';
import { isShared } from '../platform/platform-account.ts';
import { askProvider } from './ask-provider.ts';
import { unverified, type Account, type AskContext, type ConnectOutcome, type ConnectStrategy, type PlatformStrategy, type Unverified } from './connect-strategy.ts';

/** Nothing is made at Botpress: the Chat integration and its webhook are set up in the Studio, by people. */
const stays = { kind: 'nothing_to_remove', reason: 'The hub has made nothing at Botpress. Remove its address from the Chat integration there.' } as const;

const platform: PlatformStrategy = {
  async verify(account, context) {
    const fault = needsSecret(account);
    if (fault !== undefined) return fault;
    const outcome = await ask(account, context, 'platform');
    return outcome.kind === 'verified' ? { kind: 'verified', learned: { routingIdentifiers: botOf(account, context.hosts) } } : outcome;
  },
  ask: (account, context) => ask(account, context, 'platform'),
  remove: async () => stays,
};

/**
 * Botpress: a bot in the cloud by the Chat API, or on a v12 server by its Converse API. `webhookSecretOrigin`: `given` or `generated`. Every
 * connection has a session of its own, so that one bot that serves several never mixes them.
 */
export const botpress: ConnectStrategy = {
  platform,
  fixedFields: ['mode', 'kind', 'webhookId', 'botId', 'platformConnectionId'],

  isSameAccount: (posted, existing) =>
    isShared(posted) && isShared(existing) && (posted.settings['platformConnectionId'] === undefined || posted.settings['platformConnectionId'] === existing.settings['platformConnectionId']),

  generatedFields: ({ settings }) => (settings['webhookSecretOrigin'] === 'generated' ? ['webhookSecret'] : []),

  identify: (account, hosts) => (isShared(account) ? account : { ...account, routingIdentifiers: { ...account.routingIdentifiers, ...botOf(account, hosts) } }),

  complete(posted, previous, generateSecret) {
    const { session } = previous?.routingIdentifiers ?? {};
    const routingIdentifiers = { ...posted.routingIdentifiers, ...(session !== undefined && { session }) };
    if (isShared(posted)) {
      const known = previous?.settings['platformConnectionId'];
      return { ...posted, routingIdentifiers, settings: { ...(known !== undefined && { platformConnectionId: known }), ...posted.settings } };
    }
    const { webhookSecret } = posted.credentials;
    return {
      routingIdentifiers,
      settings: { ...posted.settings, webhookSecretOrigin: webhookSecret === undefined ? 'generated' : 'given' },
      credentials: { ...posted.credentials, webhookSecret: webhookSecret ?? generateSecret() },
    };
  },

  async verify(account, context) {
    const fault = isShared(account) ? undefined : needsSecret(account);
    if (fault !== undefined) return fault;
    const outcome = await ask(account, context, context.connectionId);
    return outcome.kind === 'verified' ? { kind: 'verified', learned: { routingIdentifiers: { session: context.connectionId } } } : outcome;
  },

  ask: (account, context) => ask(account, context, context.connectionId),

  remove: async () => stays,
};

const errorSchema = z.object({ code: z.number().int().min(400).max(599), message: z.string().optional() });
const loginSchema = z.object({ payload: z.object({ jwt: z.string().min(1) }) });

/** The hub cannot set the secret in the Chat integration, and shows none that it made. */
function needsSecret({ settings }: Account): Unverified | undefined {
  if (settings['kind'] !== 'cloud' || settings['webhookSecretOrigin'] === 'given') return undefined;
  return unverified('Choose a webhook secret, set it in the Chat integration of the bot, and give it here as webhookSecret: without it nobody can tell the bot\'s answers from a stranger\'s.', false);
}

function botOf({ settings }: Account, hosts: AskContext['hosts']): Record<string, string> {
  const id = settings['kind'] === 'cloud' ? settings['webhookId'] : settings['botId'];
  return hosts['api'] === undefined || id === undefined ? {} : { bot: `${serverOf(hosts['api'])}/${id}` };
}

/** `userId`: who the hub is at the bot while it asks. */
function ask(account: Account, context: Pick<AskContext, 'egress' | 'hosts'>, userId: string): Promise<ConnectOutcome> {
  return account.settings['kind'] === 'v12' ? askServer(account, context) : askCloud(account, context, userId);
}

/** The cheapest call that both the webhook id and the key take part in; repeated, it makes nothing. */
async function askCloud(account: Account, { egress, hosts }: Pick<AskContext, 'egress' | 'hosts'>, userId: string): Promise<ConnectOutcome> {
  const { webhookId = '' } = account.settings;
  const userKey = jwt.sign({ id: userId }, account.credentials['encryptionKey'] ?? '', { algorithm: 'HS256', noTimestamp: true });
  const answer = await askProvider(egress, 'Botpress', {
    method: 'POST',
    url: `${hosts['api']}/${encodeURIComponent(webhookId)}/users/get-or-create`,
    headers: { 'x-user-key': userKey, accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Switchboard' }),
  });
  if (answer.kind === 'unanswered') return answer.outcome;
  // Errors come with status 200 too; the body has the code.
  const error = errorSchema.safeParse(answer.json).data;
  const status = error?.code ?? answer.status;
  const says = error?.message === undefined ? ` (status ${status})` : `: ${error.message.slice(0, 160)}`;
  if (status >= 200 && status < 300) return { kind: 'verified' };
  if (status === 401 || status === 403) return unverified(`Botpress refuses the encryption key${says}. Give the one of the bot's Chat integration.`, false);
  if (status === 404) return unverified(`Botpress knows no Chat integration with the webhook id ${webhookId}${says}. Check webhookId.`, false, 'provider.not_found');
  if (status === 402) return unverified(`The Botpress workspace has used up what it pays for${says}. It is tried again.`, true, 'provider.forbidden');
  if (status === 429) return unverified(`Botpress is throttling calls for this bot${says}. It is tried again.`, true, 'provider.throttled');
  if (status >= 500) return unverified(`Botpress has a problem of its own${says}. It is tried again.`, true);
  return unverified(`Botpress did not take the call${says}. Check the values and post the credentials again.`, false);
}

async function askServer(account: Account, { egress, hosts }: Pick<AskContext, 'egress' | 'hosts'>): Promise<ConnectOutcome> {
  const answer = await askProvider(egress, 'Botpress', {
    method: 'POST',
    url: `${hosts['api']}/api/v1/auth/login/basic/default`,
    headers: { accept: 'application/json', 'content-type': 'application/json' },
    body: JSON.stringify({ email: account.settings['email'], password: account.credentials['password'] }),
  });
  if (answer.kind === 'unanswered') return answer.outcome;
  if (loginSchema.safeParse(answer.json).success) return { kind: 'verified' };
  if (answer.status === 404) return unverified(`What answers at ${hosts['api']} is no Botpress v12 server (status 404). Check apiBaseUrl.`, false, 'provider.not_found');
  return unverified(`The Botpress server refuses the login (status ${answer.status}). Check email and password, and that logging in by cookie is switched off.`, false);
}
