import type { FakeGenesys, Organization } from './fake-genesys.ts';
import type { FakeMeta, MetaNumber } from './fake-meta.ts';
import type { HubProcess } from './hub-process.ts';
import { eventually } from './eventually.ts';

/** A tenant with a WhatsApp number and a Genesys organization, connected by the published API alone. */
export type OnboardedTenant = {
  readonly tenantId: string;
  readonly apiKey: string;
  readonly number: MetaNumber;
  readonly organization: Organization;
  readonly integrationId: string;
  readonly whatsapp: ConnectionRecord;
  readonly genesys: ConnectionRecord;
};

export type ConnectionRecord = { id: string; type: string; role: string; status: string; statusReason: string | null; webhookUrl: string; routingIdentifiers: Record<string, string> };

export type JsonReply<T> = { readonly status: number; readonly json: T; readonly text: string };

export async function callJson<T = Record<string, unknown>>(method: string, url: string, headers: Record<string, string>, body?: unknown): Promise<JsonReply<T>> {
  const response = await fetch(url, {
    method,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(60_000),
  });
  const text = await response.text();
  // The caller names the form it expects; the assertions on it are the test.
  return { status: response.status, json: (text === '' ? undefined : JSON.parse(text)) as T, text };
}

export async function onboardTenant(hub: HubProcess, meta: FakeMeta, genesys: FakeGenesys, tenantId: string, number: Partial<MetaNumber> = {}): Promise<OnboardedTenant> {
  const admin = { authorization: `Bearer ${hub.adminKey}` };
  const tenants = `${hub.url('TENANT_SERVICE')}/tenants`;
  const created = await callJson<{ apiKey: string; message: string }>('POST', tenants, admin, { tenantId, name: `Company ${tenantId}`, plan: 'enterprise', rateLimit: 100_000 });
  if (created.status !== 201) throw new Error(`creating ${tenantId} answered ${created.status} ${created.text}`);
  const metaNumber = meta.addNumber(tenantId, number);
  const organization = genesys.addOrganization(tenantId);
  const credentials = `${tenants}/${tenantId}/credentials`;
  const { phoneNumberId, wabaId, accessToken, appSecret, verifyToken } = metaNumber;
  const whatsapp = await callJson<ConnectionRecord>('POST', credentials, admin, { type: 'meta', credentials: { appSecret, verifyToken, accessToken, phoneNumberId, wabaId, apiBaseUrl: meta.url } });
  if (whatsapp.json.status !== 'active') throw new Error(`WhatsApp of ${tenantId}: ${whatsapp.status} ${whatsapp.text}`);
  const posted = await callJson<ConnectionRecord>('POST', credentials, admin, { type: 'genesys', credentials: { ...organization, callsPerMinute: 60_000, region: 'mypurecloud.de', apiBaseUrl: genesys.url, loginBaseUrl: genesys.url } });
  if (posted.status !== 201) throw new Error(`Genesys of ${tenantId}: ${posted.status} ${posted.text}`);
  const connected = await eventually(`Genesys of ${tenantId} to be active`, async () => {
    const { json } = await callJson<ConnectionRecord>('GET', `${tenants}/${tenantId}/connections/${posted.json.id}`, admin);
    return json.status === 'active' ? json : undefined;
  }, 90_000);
  return { tenantId, apiKey: created.json.apiKey, number: metaNumber, organization, integrationId: connected.routingIdentifiers['integrationId'] ?? '', whatsapp: whatsapp.json, genesys: connected };
}
