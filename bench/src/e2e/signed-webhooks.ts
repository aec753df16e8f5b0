import { providers } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import type { BenchTenant } from './onboard.ts';

export type SignedWebhook = { readonly url: string; readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** A contact's text as Meta posts it, about 600 bytes. `text` is what tells it from all others. */
export function contactWebhook(ingestUrl: string, tenant: BenchTenant, from: string, text: string): SignedWebhook {
  const body = JSON.stringify({
    object: 'whatsapp_business_account',
    entry: [
      {
        id: tenant.wabaId,
        changes: [
          {
            value: {
              messaging_product: 'whatsapp',
              metadata: { display_phone_number: '15550000000', phone_number_id: tenant.phoneNumberId },
              contacts: [{ profile: { name: from }, wa_id: from }],
              messages: [{ from, id: `wamid.HBgLMTUwMDU1NTAxMjMVAgASGBQzQTBC${text}`, timestamp: String(Math.floor(Date.now() / 1000)), type: 'text', text: { body: text } }],
            },
            field: 'messages',
          },
        ],
      },
    ],
  });
  return signed('whatsapp', `${ingestUrl}/webhooks/whatsapp`, body, tenant.appSecret);
}

/** An agent's text as Genesys posts it to the integration's webhook. */
export function agentWebhook(tenant: BenchTenant, to: string, text: string): SignedWebhook {
  const { integrationId } = tenant;
  const id = Buffer.from(text).toString('hex').padStart(32, '0').slice(-32);
  const body = JSON.stringify({
    id,
    channel: { id: integrationId, platform: 'Open', type: 'Private', to: { id: to, idType: 'Opaque' }, from: { nickname: 'Desk', id: integrationId, idType: 'Opaque' }, time: new Date().toISOString(), messageId: id },
    type: 'Text',
    text,
    originatingEntity: 'Human',
    direction: 'Outbound',
  });
  return signed('genesys', tenant.agentWebhookUrl, body, tenant.agentWebhookSecret);
}

function signed(provider: 'whatsapp' | 'genesys', url: string, body: string, secret: string): SignedWebhook {
  return { url, body, headers: { 'content-type': 'application/json', ...signWebhook(providers[provider].webhook.auth, { url, body: Buffer.from(body) }, secret) } };
}
