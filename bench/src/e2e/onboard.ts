import { setTimeout as sleep } from 'node:timers/promises';
import { callJson, type Providers } from './providers.ts';

/** A tenant with its WhatsApp number and its Genesys integration, as the providers know them. */
export type BenchTenant = {
  readonly tenantId: string;
  readonly phoneNumberId: string;
  readonly wabaId: string;
  readonly appSecret: string;
  readonly integrationId: string;
  /** Where the integration posts what agents say, and what signs it. */
  readonly agentWebhookUrl: string;
  readonly agentWebhookSecret: string;
  /** An access token of the organization. */
  readonly genesysToken: string;
  readonly contacts: readonly string[];
};

type Hub = { readonly tenantServiceUrl: string; readonly adminKey: string };
type Connection = { readonly id: string; readonly status: string; readonly statusReason: string | null; readonly routingIdentifiers: Readonly<Record<string, string>> };
type MetaAccount = { readonly credentials: { readonly phoneNumberId: string; readonly wabaId: string; readonly appSecret: string } };
type GenesysAccount = { readonly credentials: { readonly clientId: string; readonly clientSecret: string } };

/** Makes tenants and connects each to a number and an organization of its own. */
export async function onboardTenants(hub: Hub, providers: Providers, count: number, contactsEach: number): Promise<BenchTenant[]> {
  const tenants: BenchTenant[] = [];
  // A few at a time: creating an integration takes the sandbox a moment, as it takes Genesys one.
  for (let from = 0; from < count; from += 10) {
    tenants.push(...(await Promise.all(Array.from({ length: Math.min(10, count - from) }, (_, index) => onboard(hub, providers, from + index, contactsEach)))));
  }
  return tenants;
}

async function onboard({ tenantServiceUrl, adminKey }: Hub, providers: Providers, index: number, contactsEach: number): Promise<BenchTenant> {
  const tenantId = `bench-${index}`;
  const admin = { authorization: `Bearer ${adminKey}` };
  const tenants = `${tenantServiceUrl}/tenants`;
  await callJson('POST', tenants, { tenantId, name: `Company ${index}`, plan: 'enterprise' }, admin);
  const meta = await callJson<MetaAccount>('POST', `${providers.url}/sandbox/whatsapp/accounts`, {});
  const genesys = await callJson<GenesysAccount>('POST', `${providers.url}/sandbox/genesys/accounts`, {});
  const whatsapp = await callJson<Connection>('POST', `${tenants}/${tenantId}/credentials`, meta, admin);
  if (whatsapp.status !== 'active') throw new Error(`WhatsApp of ${tenantId}: ${whatsapp.statusReason}`);
  // More than the 300 that Genesys grants by default: the hub is measured, not its patience.
  const desk = { ...genesys, credentials: { ...genesys.credentials, callsPerMinute: 60_000 } };
  const { id } = await callJson<Connection>('POST', `${tenants}/${tenantId}/credentials`, desk, admin);
  const integrationId = await untilActive(() => callJson<Connection>('GET', `${tenants}/${tenantId}/connections/${id}`, undefined, admin));

  const { clientId, clientSecret } = genesys.credentials;
  const { access_token: genesysToken } = await fetchToken(providers, clientId, clientSecret);
  const integration = await callJson<{ outboundNotificationWebhookUrl: string; outboundNotificationWebhookSignatureSecretToken: string }>(
    'GET', `${providers.url}/genesys/api/v2/conversations/messaging/integrations/open/${integrationId}`, undefined, { authorization: `Bearer ${genesysToken}` },
  );
  const { phoneNumberId, wabaId, appSecret } = meta.credentials;
  return {
    tenantId, phoneNumberId, wabaId, appSecret, integrationId, genesysToken,
    agentWebhookUrl: integration.outboundNotificationWebhookUrl,
    agentWebhookSecret: integration.outboundNotificationWebhookSignatureSecretToken,
    contacts: Array.from({ length: contactsEach }, (_unused, contact) => `1555${String(index).padStart(3, '0')}${String(contact).padStart(4, '0')}`),
  };
}

async function untilActive(ask: () => Promise<Connection>): Promise<string> {
  for (let tries = 0; tries < 300; tries++) {
    const { status, routingIdentifiers } = await ask();
    if (status === 'active') return routingIdentifiers['integrationId'] ?? '';
    await sleep(200);
  }
  throw new Error('a Genesys connection did not become active');
}

async function fetchToken({ url }: Providers, clientId: string, clientSecret: string): Promise<{ access_token: string }> {
  const answer = await fetch(`${url}/genesys/oauth/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientSecret}`).toString('base64')}`, 'content-type': 'application/x-www-form-urlencoded' },
    body: 'grant_type=client_credentials',
  });
  return (await answer.json()) as { access_token: string }; // RFC 6749, section 5.1
}

/** Every contact writes once, through the sandbox: conversations are made, windows are open, caches and plans are warm. */
export async function openConversations(providers: Providers, tenants: readonly BenchTenant[]): Promise<void> {
  const contactsMax = Math.max(...tenants.map(({ contacts }) => contacts.length));
  for (let contact = 0; contact < contactsMax; contact++) {
    for (let from = 0; from < tenants.length; from += 20) {
      await Promise.all(
        tenants.slice(from, from + 20).map(async ({ phoneNumberId, contacts }) => {
          const address = contacts[contact];
          if (address === undefined) return;
          const { attempts } = await callJson<{ attempts: number[] }>('POST', `${providers.url}/sandbox/whatsapp/${phoneNumberId}/receive`, { from: address, text: 'Good morning' });
          if (attempts[0] !== 200) throw new Error(`the hub answered ${attempts.join(', ')} to a webhook`);
        }),
      );
    }
  }
}
