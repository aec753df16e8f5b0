import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { ask, call, DemoFailure, eventually, type Addresses } from './hub.ts';

/** A tenant of the demo with its accounts at the sandbox. */
export type DemoTenant = { readonly tenantId: string; readonly name: string; readonly apiKey: string; readonly phoneNumberId: string; readonly integrationId: string };

type Kept = { tenantId: string; apiKey: string; meta: Record<string, unknown>; genesys: Record<string, unknown> };
type Connection = { id: string; status: string; statusReason: string | null; routingIdentifiers: Record<string, string> };

/**
 * Creates the tenant and connects its WhatsApp number and its Genesys organization. What a person would write down (API key, credentials)
 * is kept in `file`, so that the demo can run again; both calls may be repeated.
 */
export async function onboard(name: string, file: string, addresses: Addresses, adminKey: string): Promise<DemoTenant> {
  const admin = { authorization: `Bearer ${adminKey}` };
  const kept: Record<string, Kept> = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Kept>) : {};
  let tenant = kept[name];
  if (tenant === undefined || (await call('GET', `${addresses.tenants}/tenants/${tenant.tenantId}`, { headers: admin })).status !== 200) {
    const tenantId = `demo-${name.toLowerCase()}-${randomBytes(3).toString('hex')}`;
    const created = await ask<{ apiKey: string }>('POST', `${addresses.tenants}/tenants`, { headers: admin, body: { tenantId, name, plan: 'professional', rateLimit: 6000 } });
    const meta = await ask<{ credentials: Record<string, unknown> }>('POST', `${addresses.sandbox}/sandbox/whatsapp/accounts`, { body: { receipts: 'read' } });
    const genesys = await ask<{ credentials: Record<string, unknown> }>('POST', `${addresses.sandbox}/sandbox/genesys/accounts`, { body: {} });
    tenant = { tenantId, apiKey: created.apiKey, meta: meta.credentials, genesys: genesys.credentials };
    kept[name] = tenant;
    writeFileSync(file, JSON.stringify(kept, null, 2), { mode: 0o600 });
  }
  const credentials = `${addresses.tenants}/tenants/${tenant.tenantId}/credentials`;
  const whatsapp = await ask<Connection>('POST', credentials, { headers: admin, body: { type: 'meta', credentials: tenant.meta } });
  if (whatsapp.status !== 'active') throw new DemoFailure(`WhatsApp of ${name} is ${whatsapp.status}: ${whatsapp.statusReason}`);
  const posted = await ask<Connection>('POST', credentials, { headers: admin, body: { type: 'genesys', credentials: tenant.genesys } });
  const desk = await eventually(`Genesys of ${name} to become active`, async () => {
    const connection = await ask<Connection>('GET', `${addresses.tenants}/tenants/${tenant.tenantId}/connections/${posted.id}`, { headers: admin });
    return connection.status === 'active' ? connection : undefined;
  }, 90_000);
  return { tenantId: tenant.tenantId, name, apiKey: tenant.apiKey, phoneNumberId: whatsapp.routingIdentifiers['phoneNumberId'] ?? '', integrationId: desk.routingIdentifiers['integrationId'] ?? '' };
}
