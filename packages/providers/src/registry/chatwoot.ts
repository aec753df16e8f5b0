import { z } from 'zod';
import type { FormFault, ProviderEntry } from '../provider.ts';
import { needed, refused, sandbox, secretText, serverUrl } from './credential-fields.ts';
import { splitChatwootWebhook } from './split-chatwoot-webhook.ts';

/** Without zeros in front: a server takes 07 for 7, and an account with two names could have two owners. */
const digits = z.string().trim().regex(/^[1-9]\d{0,17}$/, 'use the number, as it stands in the address of the page');

/** Fields of a tenant's own account: in the platform's, the platform decides them. An inbox that it could choose there might be another tenant's. */
const dedicatedFields = ['apiUrl', 'accountId', 'apiToken', 'botToken', 'inboxId', 'webhookSecret', 'callsPerMinute'] as const;

function faultsOf(form: Readonly<Record<string, unknown>>): FormFault[] {
  const faults =
    form['mode'] === 'shared'
      ? refused(form, dedicatedFields, 'belongs to an account of your own; in shared mode the platform\'s account is used')
      : [
          ...needed(form, ['accountId', 'apiToken', ...(form['sandbox'] === true ? [] : ['apiUrl'])], 'is needed for an account of your own (mode dedicated)'),
          ...refused(form, ['platformConnectionId'], 'names an account of the platform; it goes with mode shared'),
        ];
  const isNewWebsite = form['inboxType'] === 'website' && form['inboxId'] === undefined;
  return isNewWebsite ? [...faults, ...needed(form, ['websiteUrl'], 'is needed to make a website inbox')] : faults;
}

/** Chatwoot, cloud or self-hosted, as channel and as desk. developers.chatwoot.com/api-reference; behaviour read at v4.15.1 */
export const chatwoot = {
  id: 'chatwoot',
  title: 'Chatwoot',
  roles: ['desk', 'channel'],
  credentialType: 'chatwoot',
  credentials: z.strictObject({
    mode: z.enum(['dedicated', 'shared']).default('dedicated').describe('dedicated: an account of your own; shared: an inbox in the platform\'s account'),
    apiUrl: serverUrl.optional().describe('Address of the Chatwoot server, such as https://app.chatwoot.com (dedicated)'),
    accountId: digits.optional().describe('Number of the account (dedicated)'),
    apiToken: secretText.optional().describe('Access token of an administrator of the account (dedicated)'),
    botToken: secretText.optional().describe('Access token of an agent bot, in whose name the hub writes; made where it is needed and not given (dedicated)'),
    inboxId: digits.optional().describe('An inbox that exists; without it one is made (dedicated)'),
    inboxType: z.enum(['api', 'website']).default('api').describe('Kind of inbox; a desk needs an API inbox'),
    inboxName: z.string().trim().min(1).max(100).optional().describe('Name of the inbox that is made'),
    websiteUrl: z.url({ protocol: /^https?$/ }).max(2048).optional().describe('Where the widget of a website inbox stands'),
    webhookSecret: secretText.min(16, 'use at least 16 characters').optional().describe('The signing secret of the webhook, where the hub cannot read it (dedicated)'),
    platformConnectionId: z.string().trim().min(1).max(64).optional().describe('Which of the platform\'s accounts; without it the least loaded open one (shared)'),
    callsPerMinute: z.int().min(1).max(60_000).optional().describe('Calls a minute that the server grants (dedicated)'),
    sandbox,
  }),
  faultsOf,
  secretFields: ['apiToken', 'botToken', 'webhookSecret'],
  // With the server in front: two self-hosted servers both have an account 1.
  routingFields: ['inbox', 'account'],
  // As webhooks name them, without a server; whose secret signed it tells them apart.
  sharedRoutingFields: ['sharedInbox', 'inboxKey', 'accountKey', 'sharedInboxId', 'inboxId'],
  webhook: {
    auth: {
      scheme: 'any-of',
      schemes: [
        { scheme: 'timestamped-hmac', algorithm: 'sha256', signatureHeader: 'x-chatwoot-signature', timestampHeader: 'x-chatwoot-timestamp', prefix: 'sha256=', encoding: 'hex', separator: '.', toleranceSeconds: 300 },
        // Servers before 4.12 (account webhooks) and 4.13 (API inboxes) sign nothing.
        { scheme: 'shared-token', header: 'x-webhook-token' },
        { scheme: 'path-token' },
      ],
    },
    secretField: 'webhookSecret',
    paths: ['shared', 'connection'],
    aliases: ['/api/v1/webhooks/chatwoot', '/api/webhooks/chatbot/chatwoot'],
    hasLocalIds: true,
    // A message has at most 150 000 characters and stands in its webhook three times; files come by URL.
    bodyMaxBytes: 2 * 1024 * 1024,
    split: splitChatwootWebhook,
  },
  channel: { hasAgents: true },
  hosts: (credentials): Record<string, string> => {
    const url = credentials['apiUrl'];
    if (url !== undefined) return { api: url };
    // In shared mode the platform's account says where; nothing may be sent anywhere before.
    return credentials['mode'] === 'shared' ? {} : { api: 'https://app.chatwoot.com' };
  },
  sandboxPath: 'chatwoot',
} as const satisfies ProviderEntry;
