import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { startFakeTwilio, type FakeTwilio } from '../testing/fake-twilio.ts';
import { secretsFoundIn } from '../testing/secrets-found-in.ts';
import { startTenantService, type ServiceUnderTest } from '../testing/start-service.ts';

let service: ServiceUnderTest;
let twilio: FakeTwilio;

beforeAll(async () => {
  [service, twilio] = await Promise.all([startTenantService(), startFakeTwilio()]);
  twilio.forSale.set('US', ['+14155550101', '+14155550102']);
}, 60_000);
afterAll(async () => {
  await Promise.all([service?.stop(), twilio?.close()]);
});

async function untilStatus(sid: string, status: string): Promise<string | undefined> {
  for (let look = 0; look < 100 && twilio.accounts.get(sid)?.status !== status; look++) await sleep(100);
  return twilio.accounts.get(sid)?.status;
}

type Made = { readonly id: string; readonly status: string; readonly routingIdentifiers: { readonly accountSid: string } };

describe('subaccounts of tenants over the API', () => {
  it('follow their tenant, one without the other, and no secret of theirs lies open or is answered', async () => {
    const main = await service.call('POST', '/platform/connections', { type: 'twilio', name: 'Main', credentials: { accountSid: twilio.main.sid, authToken: twilio.main.token, apiBaseUrl: twilio.url } });
    expect(main.status).toBe(201);
    const made: Made[] = [];
    const answers: unknown[] = [main.json];
    for (const tenant of ['acme', 'globex']) {
      await service.call('POST', '/tenants', { tenantId: tenant, name: tenant });
      const { status, json } = await service.call('POST', `/tenants/${tenant}/credentials`, { type: 'twilio', credentials: { provision: true, numberCountry: 'US', channels: ['sms'] } });
      expect([status, json]).toMatchObject([201, { status: 'active' }]);
      made.push(json as Made); // the contract of the route
      answers.push(json);
    }
    const [mine, theirs] = made.map(({ routingIdentifiers }) => routingIdentifiers.accountSid);
    expect((await service.call('PATCH', '/tenants/acme', { status: 'suspended' })).status).toBe(200);
    expect(await untilStatus(mine ?? '', 'suspended')).toBe('suspended');
    expect(twilio.accounts.get(theirs ?? '')?.status).toBe('active');
    await service.call('PATCH', '/tenants/acme', { status: 'active' });
    expect(await untilStatus(mine ?? '', 'active')).toBe('active');

    const listed = await service.call('GET', '/platform/connections');
    expect(listed.json).toMatchObject({ data: [{ type: 'twilio', inboxes: 2, tenants: 2, subaccounts: 2 }] });
    const secrets = [...twilio.accounts.values()].map(({ token }) => token);
    expect(secrets.filter((secret) => JSON.stringify([answers, listed.json]).includes(secret))).toEqual([]);
    expect(await secretsFoundIn(service.database.adminUrl, secrets)).toEqual([]);
  }, 60_000);
});
