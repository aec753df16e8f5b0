import { z } from 'zod';
import type { ProviderEntry } from '../provider.ts';
import { accountId, baseUrl, sandbox, secretText } from './credential-fields.ts';
import { splitGenesysWebhook } from './split-genesys-webhook.ts';

/**
 * AWS region → domain: the complete list of the JavaScript SDK 262.0.0 (`PureCloudRegionHosts.js`). An allow-list: a region of the tenant's
 * own making would end in a URL that gets its secrets.
 */
export const genesysRegions = {
  'us-east-1': 'mypurecloud.com',
  'us-east-2': 'use2.us-gov-pure.cloud',
  'us-west-2': 'usw2.pure.cloud',
  'ca-central-1': 'cac1.pure.cloud',
  'sa-east-1': 'sae1.pure.cloud',
  'mx-central-1': 'mxc1.pure.cloud',
  'eu-west-1': 'mypurecloud.ie',
  'eu-west-2': 'euw2.pure.cloud',
  'eu-central-1': 'mypurecloud.de',
  'eu-central-2': 'euc2.pure.cloud',
  'eusc-de-east-1': 'edee1.eusc-pure.cloud',
  'ap-northeast-1': 'mypurecloud.jp',
  'ap-northeast-2': 'apne2.pure.cloud',
  'ap-northeast-3': 'apne3.pure.cloud',
  'ap-southeast-1': 'apse1.pure.cloud',
  'ap-southeast-2': 'mypurecloud.com.au',
  'ap-south-1': 'aps1.pure.cloud',
  'me-central-1': 'mec1.pure.cloud',
} as const satisfies Record<string, string>;

const domains: readonly string[] = Object.values(genesysRegions);

/** Domain of a region given as AWS region, as domain, or as a host of it (`api.mypurecloud.de`); undefined for anything else. */
export function findGenesysDomain(region: string): string | undefined {
  const name = region.trim().toLowerCase();
  if (Object.hasOwn(genesysRegions, name)) return genesysRegions[name as keyof typeof genesysRegions]; // just asked
  const domain = name.replace(/^(https:\/\/)?(api|login|apps)\./, '').replace(/\/$/, '');
  return domains.includes(domain) ? domain : undefined;
}

const region = z
  .string()
  .transform((value, context) => {
    const domain = findGenesysDomain(value);
    if (domain === undefined) context.addIssue({ code: 'custom', message: `use one of the Genesys Cloud regions: ${Object.keys(genesysRegions).join(', ')}, or its domain` });
    return domain ?? z.NEVER;
  })
  .describe('Region of the Genesys Cloud organisation, such as eu-central-1 or mypurecloud.de; kept as the domain');

/** Genesys Cloud Open Messaging. developer.genesys.cloud/commdigital/digital/openmessaging */
export const genesys = {
  id: 'genesys',
  title: 'Genesys Cloud (Open Messaging)',
  roles: ['desk'],
  credentialType: 'genesys',
  credentials: z.strictObject({
    clientId: secretText.describe('Client id of an OAuth client with the grant "client credentials"'),
    clientSecret: secretText.describe('Its secret'),
    region,
    integrationId: accountId.regex(/^[\w-]+$/, 'use the id of the Open Messaging integration').optional().describe('An Open Messaging integration that exists; without it one is created'),
    webhookSecret: secretText.min(16, 'Genesys takes secrets longer than 15 characters').optional().describe('The integration\'s signature secret token; made when the integration is created'),
    callsPerMinute: z.int().min(1).max(60_000).optional().describe('Calls a minute that Genesys grants the OAuth client; 300, unless its support raised it'),
    apiBaseUrl: baseUrl,
    loginBaseUrl: baseUrl,
    sandbox,
  }),
  secretFields: ['clientSecret', 'webhookSecret'],
  routingFields: ['integrationId'],
  sharedRoutingFields: [],
  webhook: {
    auth: { scheme: 'hmac', algorithm: 'sha256', header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'base64' },
    secretField: 'webhookSecret',
    paths: ['connection'],
    // One message a webhook, files by URL: far above anything recorded.
    bodyMaxBytes: 1024 * 1024,
    split: splitGenesysWebhook,
  },
  hosts: (credentials): Record<string, string> => {
    const domain = findGenesysDomain(credentials['region'] ?? '');
    return domain === undefined ? {} : { api: `https://api.${domain}`, login: `https://login.${domain}` };
  },
  sandboxPath: 'genesys',
} as const satisfies ProviderEntry;
