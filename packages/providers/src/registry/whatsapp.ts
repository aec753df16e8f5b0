import { z } from 'zod';
import type { ProviderEntry } from '../provider.ts';
import { accountId, baseUrl, sandbox, secretText } from './credential-fields.ts';
import { splitWhatsAppWebhook } from './split-whatsapp-webhook.ts';

/** Meta WhatsApp Cloud API. developers.facebook.com/documentation/business-messaging/whatsapp */
export const whatsapp = {
  id: 'whatsapp',
  title: 'WhatsApp (Meta Cloud API)',
  roles: ['channel'],
  credentialType: 'meta',
  credentials: z.strictObject({
    appSecret: secretText.describe('App secret of the Meta app: signs its webhooks'),
    verifyToken: secretText.describe('The token you set beside the callback URL'),
    accessToken: z.string().trim().min(1).max(2048).describe('Access token with whatsapp_business_messaging'),
    phoneNumberId: accountId.regex(/^\d+$/, 'use the digits of the phone number id, not the phone number').describe('Id of the phone number'),
    wabaId: accountId.regex(/^\d+$/, 'use the digits of the WhatsApp business account id').optional().describe('Id of the WhatsApp business account: needed for account events'),
    apiVersion: z.string().regex(/^v\d{1,3}\.\d{1,2}$/, 'use the form v25.0').default('v25.0').describe('Version of the Graph API'),
    apiBaseUrl: baseUrl,
    sandbox,
  }),
  secretFields: ['appSecret', 'verifyToken', 'accessToken'],
  routingFields: ['phoneNumberId'],
  sharedRoutingFields: ['wabaId'],
  webhook: {
    auth: { scheme: 'hmac', algorithm: 'sha256', header: 'x-hub-signature-256', prefix: 'sha256=', encoding: 'hex' },
    secretField: 'appSecret',
    paths: ['shared', 'connection'],
    handshake: { kind: 'hub-challenge', tokenField: 'verifyToken' },
    // Meta sends up to 3 MB.
    bodyMaxBytes: 4 * 1024 * 1024,
    split: splitWhatsAppWebhook,
  },
  channel: { replyWindowHours: () => 24 },
  hosts: () => ({ api: 'https://graph.facebook.com' }),
  sandboxPath: 'whatsapp',
} as const satisfies ProviderEntry;
