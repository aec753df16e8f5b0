import type { MemberRole, Scope } from '@switchboard/contracts';
import { eventually } from './eventually.ts';
import type { HubProcess } from './hub-process.ts';
import { callJson } from './onboard.ts';

/** A tenant with one of everything that a path can name. */
export type Furnished = {
  readonly apiKey: string;
  readonly ownerToken: string;
  /** Ids of its things by the name of the path's parameter. */
  readonly things: Readonly<Record<string, string>>;
  makeKey(scopes: readonly Scope[]): Promise<string>;
};

const password = 'correct horse battery staple';

export async function furnishTenant(hub: HubProcess, tenantId: string): Promise<Furnished> {
  const admin = { authorization: `Bearer ${hub.adminKey}` };
  const tenant = `${hub.url('TENANT_SERVICE')}/tenants`;
  const created = await callJson<{ apiKey: string }>('POST', tenant, admin, { tenantId, name: tenantId, subdomain: tenantId, plan: 'enterprise', rateLimit: 1_000_000 });
  if (created.status !== 201) throw new Error(created.text);
  const { apiKey } = created.json;
  const account = await callJson('POST', `${hub.url('PROVIDER_SANDBOX')}/sandbox/whatsapp/accounts`, {}, {});
  const connection = await callJson<{ id: string }>('POST', `${tenant}/${tenantId}/credentials`, admin, account.json);
  if (connection.status !== 201) throw new Error(connection.text);
  // A contact of its own: the same person at two tenants would be two contacts.
  const waId = `1500${String(Math.floor(Math.random() * 10_000_000)).padStart(7, '0')}`;
  const mapping = await eventually('the mapping', async () => {
    const made = await callJson<{ conversationId: string }>('POST', `${hub.url('API_GATEWAY')}/state/mapping`, { 'x-api-key': apiKey }, { waId });
    return made.status === 201 || made.status === 200 ? made.json : undefined;
  });
  const makeKey = async (scopes: readonly Scope[]) => (await makeKeyOf(hub, tenantId, scopes)).apiKey;
  const key = await makeKeyOf(hub, tenantId, ['state:read']);
  const issuer = await callJson<{ issuerId: string }>('POST', `${hub.url('AUTH_SERVICE')}/tenants/${tenantId}/issuers`, admin, { kind: 'hs256', issuer: 'https://login.example', audience: 'hub', secret: 'a secret of thirty-two bytes, at least' });
  if (issuer.status !== 201) throw new Error(issuer.text);
  const ofTenant = <T>(method: string, path: string, body: unknown) => callJson<T>(method, `${hub.url('API_GATEWAY')}${path}`, { 'x-api-key': apiKey }, body);
  const lead = await ofTenant<{ leadId: string }>('POST', '/tenant/leads', { source: 'form', contact: { name: 'Ada' } });
  if (lead.status !== 201) throw new Error(lead.text);
  const chatbot = await ofTenant('POST', '/api/chatbot/tenants', { config: { botName: 'Bot' }, knowledgeBase: [{ question: 'When?', answer: 'Now.', tags: [] }] });
  if (chatbot.status !== 201) throw new Error(chatbot.text);
  const ownerToken = await joinMember(hub, tenantId, 'owner');
  const me = await callJson<{ memberId: string }>('GET', `${hub.url('API_GATEWAY')}/auth/me`, { authorization: `Bearer ${ownerToken}` });
  return { apiKey, ownerToken, makeKey, things: { tenantId, waId, conversationId: mapping.conversationId, connectionId: connection.json.id, keyId: key.keyId, memberId: me.json.memberId, issuerId: issuer.json.issuerId, leadId: lead.json.leadId, version: '1' } };
}

async function makeKeyOf(hub: HubProcess, tenantId: string, scopes: readonly Scope[]): Promise<{ keyId: string; apiKey: string }> {
  const made = await callJson<{ key: { keyId: string }; apiKey: string }>('POST', `${hub.url('TENANT_SERVICE')}/tenants/${tenantId}/keys`, { authorization: `Bearer ${hub.adminKey}` }, { name: `for ${scopes.join(' ')}`, scopes });
  if (made.status !== 201) throw new Error(made.text);
  return { keyId: made.json.key.keyId, apiKey: made.json.apiKey };
}

/** A person of the tenant, invited by the platform; answers an access token. */
export async function joinMember(hub: HubProcess, tenantId: string, role: MemberRole): Promise<string> {
  return accept(hub, `${hub.url('AUTH_SERVICE')}/tenants/${tenantId}/members`, { email: `${role}-${Math.random().toString(36).slice(2)}@${tenantId}.example`, role });
}

/** A person of the platform; answers an access token. */
export async function joinStaff(hub: HubProcess): Promise<string> {
  return accept(hub, `${hub.url('AUTH_SERVICE')}/staff`, { email: 'ops@platform.example' });
}

async function accept(hub: HubProcess, url: string, body: Record<string, string>): Promise<string> {
  const invited = await callJson<{ invitation: { token: string } }>('POST', url, { authorization: `Bearer ${hub.adminKey}` }, body);
  if (invited.status !== 201) throw new Error(invited.text);
  const accepted = await callJson<{ accessToken: string }>('POST', `${hub.url('API_GATEWAY')}/auth/invitations/accept`, {}, { token: invited.json.invitation.token, name: 'A person', password });
  if (accepted.status !== 200) throw new Error(accepted.text);
  return accepted.json.accessToken;
}
