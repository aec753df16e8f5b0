import { z } from 'zod';
import type { FormFault, ProviderEntry } from '../provider.ts';
import { needed, refused, sandbox, secretText, serverUrl } from './credential-fields.ts';
import { splitBotpressWebhook } from './split-botpress-webhook.ts';

/** Ids of Botpress: uuids, `bot_01…`, and names that v12's owners choose. */
const botpressId = z.string().trim().regex(/^[\w-]{1,64}$/, 'use letters, digits, - and _');

const cloudFields = ['webhookId', 'encryptionKey', 'webhookSecret', 'accessToken', 'filesBaseUrl'] as const;
const v12Fields = ['email', 'password', 'maxTextLength'] as const;

function faultsOf(form: Readonly<Record<string, unknown>>): FormFault[] {
  if (form['mode'] === 'shared') {
    return refused(form, ['kind', 'botId', 'apiBaseUrl', 'callsPerMinute', ...cloudFields, ...v12Fields], 'belongs to a bot of your own; in shared mode the platform\'s bot is used');
  }
  const faults = refused(form, ['platformConnectionId'], 'names a bot of the platform; it goes with mode shared');
  if (form['kind'] === undefined) return [...faults, { path: 'kind', message: 'is needed for a bot of your own: cloud (Botpress Cloud) or v12 (self-hosted)' }];
  if (form['kind'] === 'cloud') {
    return [...faults, ...needed(form, ['webhookId', 'encryptionKey'], 'is needed for a bot at Botpress Cloud'), ...refused(form, v12Fields, 'is for v12 only')];
  }
  const fields = ['botId', 'email', 'password', ...(form['sandbox'] === true ? [] : ['apiBaseUrl'])];
  return [...faults, ...needed(form, fields, 'is needed for a v12 server'), ...refused(form, cloudFields, 'is for Botpress Cloud only')];
}

/** Botpress Cloud by the Chat API, and self-hosted v12 by its Converse API. botpress.com/docs/api-reference/chat-api */
export const botpress = {
  id: 'botpress',
  title: 'Botpress',
  roles: ['bot'],
  credentialType: 'botpress',
  credentials: z.strictObject({
    kind: z.enum(['cloud', 'v12']).optional().describe('cloud: Botpress Cloud; v12: a self-hosted server. They share the name and nothing else (dedicated)'),
    mode: z.enum(['dedicated', 'shared']).default('dedicated').describe('dedicated: a bot of your own; shared: the platform\'s bot'),
    webhookId: botpressId.optional().describe('Webhook id of the bot\'s Chat integration (cloud)'),
    encryptionKey: secretText.optional().describe('Encryption key of the Chat integration (cloud)'),
    webhookSecret: secretText.min(16, 'use at least 16 characters').optional().describe('Webhook secret that you entered in the Chat integration (cloud)'),
    accessToken: secretText.optional().describe('Bot access key, for the knowledge base (cloud)'),
    botId: botpressId.optional().describe('Id of the bot'),
    apiBaseUrl: serverUrl.optional().describe('Address of the v12 server; for cloud another address of the Chat API, for gateways and tests'),
    filesBaseUrl: serverUrl.optional().describe('Another address of the Files API, for gateways and tests (cloud)'),
    email: z.string().trim().min(1).max(254).optional().describe('Who logs in at the server (v12)'),
    password: z.string().min(1).max(512).optional().describe('With which password (v12)'),
    maxTextLength: z.int().min(1).max(100_000).optional().describe('converse.maxMessageLength of the server; 360, unless it was changed (v12)'),
    replyTimeoutSeconds: z.int().min(1).max(300).default(20).describe('Seconds without an answer after which the bot counts as silent'),
    callsPerMinute: z.int().min(1).max(60_000).optional().describe('Calls a minute that the bot grants'),
    platformConnectionId: z.string().trim().min(1).max(64).optional().describe('Which of the platform\'s bots; without it the least loaded open one (shared)'),
    sandbox,
  }),
  faultsOf,
  secretFields: ['encryptionKey', 'webhookSecret', 'accessToken', 'password'],
  routingFields: ['bot'],
  sharedRoutingFields: ['session'],
  webhook: {
    auth: {
      scheme: 'any-of',
      schemes: [
        // The Chat integration. It repeats nothing and knows no signature.
        { scheme: 'shared-token', header: 'x-secret-key' },
        { scheme: 'shared-token', header: 'x-webhook-token' },
        { scheme: 'shared-token', header: 'x-bp-secret' },
        { scheme: 'hmac', algorithm: 'sha256', header: 'x-bp-signature', prefix: 'sha256=', isPrefixOptional: true, encoding: 'hex' },
        { scheme: 'path-token' },
      ],
    },
    secretField: 'webhookSecret',
    paths: ['shared', 'connection'],
    aliases: ['/api/webhooks/chatbot/botpress'],
    // A message's payload has 128 KB at most.
    bodyMaxBytes: 1024 * 1024,
    split: splitBotpressWebhook,
  },
  hosts: (credentials): Record<string, string> => {
    if (credentials['kind'] === 'cloud') return { api: 'https://chat.botpress.cloud', files: 'https://api.botpress.cloud' };
    // A v12 server has no address but the tenant's; without one only the sandbox can stand in, which takes the place of the name that leads nowhere.
    if (credentials['kind'] === 'v12') return { api: credentials['apiBaseUrl'] ?? 'https://v12.botpress.invalid' };
    return {};
  },
  sandboxPath: 'botpress',
} as const satisfies ProviderEntry;
