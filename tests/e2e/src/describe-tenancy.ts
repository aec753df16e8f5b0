import { expect, it } from '@jest/globals';
import { callAs } from './call-as.ts';
import { eventually } from './eventually.ts';
import { joinMember, joinStaff } from './furnish-tenant.ts';
import type { HubProcess } from './hub-process.ts';
import { callJson, type OnboardedTenant } from './onboard.ts';

/** What is taken away is refused within this many milliseconds, everywhere. */
const revokedWithinMs = 2_000;

/** Of access, keys, people, suspension and audit, over a hub that runs; `secrets` collects what must stand in no log. */
export function describeTenancy({ hub, acme, globex, write, secrets }: { hub: () => HubProcess; acme: () => OnboardedTenant; globex: () => OnboardedTenant; write: (tenant: OnboardedTenant, text: string) => Promise<number>; secrets: string[] }): void {
  const gateway = (method: string, path: string, headers: Record<string, string>, body?: unknown) => callAs(method, `${hub().url('API_GATEWAY')}${path}`, headers, body);
  const withKey = ({ apiKey }: OnboardedTenant) => ({ 'x-api-key': apiKey });
  const admin = () => ({ authorization: `Bearer ${hub().adminKey}` });

  /** Looks until the answer has this status; how many milliseconds it took. */
  async function untilStatus(status: number, look: () => Promise<{ readonly status: number }>): Promise<number> {
    const startedAt = performance.now();
    await eventually(`an answer ${status}`, async () => ((await look()).status === status ? true : undefined));
    return performance.now() - startedAt;
  }

  it('gives a key no more than its scopes, and refuses it within two seconds when it is revoked', async () => {
    const made = await gateway('POST', '/tenant/keys', withKey(acme()), { name: 'reports', scopes: ['state:read'] });
    expect(made.status).toBe(201);
    const narrow = { 'x-api-key': String(made.json['apiKey']) };
    secrets.push(narrow['x-api-key']);
    const read = () => gateway('GET', '/state/stats', narrow);
    expect(await read()).toMatchObject({ status: 200, json: { tenantId: 'acme' } });
    expect(await gateway('GET', '/tenant', narrow)).toMatchObject({ status: 403, json: { code: 'auth.scope_missing' } });
    const { keyId } = made.json['key'] as { keyId: string }; // the contract's form
    expect((await gateway('DELETE', `/tenant/keys/${keyId}`, withKey(globex()))).status).toBe(404);
    expect((await read()).status).toBe(200);
    expect((await gateway('DELETE', `/tenant/keys/${keyId}`, withKey(acme()))).status).toBe(204);
    expect(await untilStatus(401, read)).toBeLessThan(revokedWithinMs);
  });

  it('lets a member in at their own tenant alone, and no longer than they are one', async () => {
    const token = await joinMember(hub(), 'acme', 'admin');
    secrets.push(token);
    const session = { authorization: `Bearer ${token}` };
    const me = await gateway('GET', '/auth/me', session);
    expect(me).toMatchObject({ status: 200, json: { tenantId: 'acme', role: 'admin' } });
    expect(await gateway('GET', '/tenant', session)).toMatchObject({ status: 200, json: { tenant_id: 'acme' } });
    expect(await gateway('GET', '/state/stats', { ...session, ...withKey(globex()) })).toMatchObject({ status: 403, json: { code: 'tenant.mismatch' } });
    const disabled = await gateway('PATCH', `/tenants/acme/members/${String(me.json['memberId'])}`, admin(), { status: 'disabled' });
    expect(disabled.status).toBe(200);
    expect(await untilStatus(401, () => gateway('GET', '/tenant', session))).toBeLessThan(revokedWithinMs);
  });

  it('suspends a tenant at the gateway within two seconds, and takes what its contacts write all the while', async () => {
    const look = () => gateway('GET', '/state/stats', withKey(globex()));
    const before = Number((await look()).json['totalMessages']);
    expect((await gateway('PATCH', '/tenants/globex', admin(), { status: 'suspended' })).status).toBe(200);
    expect(await untilStatus(403, look)).toBeLessThan(revokedWithinMs);
    expect(await look()).toMatchObject({ json: { code: 'tenant.suspended' } });
    expect(await gateway('GET', '/state/stats', withKey(acme()))).toMatchObject({ status: 200 });
    expect(await write(globex(), 'while suspended')).toBe(200);
    expect((await gateway('PATCH', '/tenants/globex', admin(), { status: 'active' })).status).toBe(200);
    await untilStatus(200, look);
    await eventually('the message that came meanwhile', async () => (Number((await look()).json['totalMessages']) > before ? true : undefined));
  });

  it('knows the people of the platform by name, and tells each tenant what was done to it and by whom', async () => {
    const staff = { authorization: `Bearer ${await joinStaff(hub())}` };
    const { json } = await gateway('GET', '/auth/me', staff);
    expect((await gateway('PATCH', '/tenants/acme', staff, { metadata: { contract: '2026-7' } })).status).toBe(200);
    expect((await gateway('GET', '/tenant', staff)).status).toBe(401);
    const audit = await callJson<{ data: { action: string; actor: { subject: string }; subject: string }[] }>('GET', `${hub().url('API_GATEWAY')}/tenant/audit?limit=200`, withKey(acme()));
    expect(audit.json.data).toContainEqual(expect.objectContaining({ action: 'tenant.updated', subject: 'acme' }));
    expect(audit.text).toContain(String(json['memberId']));
    expect(audit.text).not.toContain('globex');
    expect(await gateway('GET', '/tenant/audit/verify', withKey(acme()))).toMatchObject({ status: 200, json: { ok: true } });
  });
}
