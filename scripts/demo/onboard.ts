import { ask, DemoFailure, eventually, type Addresses } from './hub.ts';
import type { Notebook } from './notebook.ts';

/** A tenant of the demo with its accounts at the sandbox. */
export type DemoTenant = { readonly tenantId: string; readonly name: string; readonly apiKey: string; readonly phoneNumberId: string; readonly integrationId: string };

type Connection = { id: string; status: string; statusReason: string | null; routingIdentifiers: Record<string, string> };

/**
 * Creates the tenant and connects its WhatsApp number and its Genesys organization. What a person would write down (API key, credentials)
 * is kept in the notebook, so that the demo can run again; both calls may be repeated.
 */
export async function onboard(name: string, notebook: Notebook, addresses: Addresses, adminKey: string): Promise<DemoTenant> {
  const admin = { authorization: `Bearer ${adminKey}` };
  const tenant = await notebook.tenant(name, addresses, adminKey);
  const account = (provider: string, body: object) => notebook.keep(`${provider}-${tenant.tenantId}`, () => ask<{ credentials: Record<string, unknown> }>('POST', `${addresses.sandbox}/sandbox/${provider}/accounts`, { body }));
  const [meta, genesys] = [await account('whatsapp', { receipts: 'read' }), await account('genesys', {})];
  const credentials = `${addresses.tenants}/tenants/${tenant.tenantId}/credentials`;
  const whatsapp = await ask<Connection>('POST', credentials, { headers: admin, body: { type: 'meta', credentials: meta.credentials } });
  if (whatsapp.status !== 'active') throw new DemoFailure(`WhatsApp of ${name} is ${whatsapp.status}: ${whatsapp.statusReason}`);
  const posted = await ask<Connection>('POST', credentials, { headers: admin, body: { type: 'genesys', credentials: genesys.credentials } });
  const desk = await eventually(`Genesys of ${name} to become active`, async () => {
    const connection = await ask<Connection>('GET', `${addresses.tenants}/tenants/${tenant.tenantId}/connections/${posted.id}`, { headers: admin });
    return connection.status === 'active' ? connection : undefined;
  }, 90_000);
  return { tenantId: tenant.tenantId, name, apiKey: tenant.apiKey, phoneNumberId: whatsapp.routingIdentifiers['phoneNumberId'] ?? '', integrationId: desk.routingIdentifiers['integrationId'] ?? '' };
}
