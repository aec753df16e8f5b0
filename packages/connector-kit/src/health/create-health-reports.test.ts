import { describe, expect, it } from '@jest/globals';
import { hubError, newId, type ConnectionId, type Envelope } from '@switchboard/contracts';
import { testTenants } from '@switchboard/testing';
import { currentScope } from '@switchboard/tenant-context';
import { createHealthReports } from './create-health-reports.ts';
import { healthOfError } from './health-of-error.ts';

const [acme, globex] = testTenants;
const at = '2026-11-21T12:00:00.000Z';

function reports(publishMany?: (envelopes: readonly Envelope[]) => Promise<void>, now = () => new Date(at)) {
  const told: Envelope[] = [];
  const scopes: string[] = [];
  const warned: string[] = [];
  const log = { info: () => undefined, warn: (_: object, message: string) => void warned.push(message), error: () => undefined };
  const bus = {
    publishMany: publishMany ?? (async (envelopes: readonly Envelope[]) => {
      scopes.push(currentScope().kind);
      told.push(...envelopes);
    }),
  };
  return { told, scopes, warned, health: createHealthReports({ bus, log, now }) };
}
const account = (tenantId = acme, connectionId: ConnectionId = newId('con')) => ({ tenantId, connectionId, provider: 'whatsapp' as const });

describe('reports on connections', () => {
  it('tell each connection once, with the last of each fact, to its own tenant', async () => {
    const { told, scopes, health } = reports();
    const [mine, theirs] = [account(), account(globex)];
    health.note(mine, { lastWebhookAt: '2026-11-21T11:59:58.000Z' });
    health.note(theirs, { lastSuccessAt: at });
    health.note(mine, { lastWebhookAt: '2026-11-21T11:59:59.000Z' });
    health.note(mine, { tokenExpiresAt: null });
    await health.flush();
    expect(told).toMatchObject([
      { type: 'connection.health', tenantId: acme, occurredAt: at, orderingKey: mine.connectionId, payload: { connectionId: mine.connectionId, provider: 'whatsapp', lastWebhookAt: '2026-11-21T11:59:59.000Z', tokenExpiresAt: null } },
      { tenantId: globex, payload: { connectionId: theirs.connectionId, lastSuccessAt: at } },
    ]);
    await health.flush();
    expect([told.length, scopes]).toEqual([2, ['system']]);
  });

  it('tell of a bounded number at once, and of every other one in its turn', async () => {
    const { told, health } = reports();
    const ids = Array.from({ length: 1_000 }, () => newId('con'));
    for (const id of ids) health.note(account(acme, id), { lastWebhookAt: at });
    await health.flush();
    expect(told.length).toBeLessThan(500);
    for (let round = 0; round < 5; round++) await health.flush();
    expect(told.map(({ orderingKey }) => orderingKey)).toEqual(ids);
  });

  it('are spread over the time instead of coming all at once', async () => {
    let clock = Date.parse(at);
    const { told, health } = reports(undefined, () => new Date(clock));
    const ids = Array.from({ length: 30 }, () => newId('con'));
    for (const id of ids) health.note(account(acme, id), { lastWebhookAt: at });
    await health.tellDue();
    const counts = [told.length];
    clock += 30_000;
    for (let second = 0; second < 4; second++) {
      await health.tellDue();
      counts.push(told.length);
    }
    expect(counts).toEqual([0, 12, 24, 30, 30]);
    expect(told.map(({ orderingKey }) => orderingKey)).toEqual(ids);
  });

  it('harm nobody when they cannot be told', async () => {
    const { warned, health } = reports(async () => {
      throw new Error('no bus');
    });
    health.note(account(), { lastWebhookAt: at });
    await health.flush();
    expect(warned).toHaveLength(1);
  });
});

describe('an error as a fact about a connection', () => {
  it('is one of the account, not of a message or its recipient', () => {
    const told = (error: ReturnType<typeof hubError>) => healthOfError(error, at)?.lastError.code;
    expect(told(hubError('provider.unauthorized'))).toBe('provider.unauthorized');
    expect(told(hubError('provider.forbidden', { detail: { scope: 'account' } }))).toBe('provider.forbidden');
    expect(told(hubError('egress.failed'))).toBe('egress.failed');
    expect(told(hubError('provider.forbidden'))).toBeUndefined();
    expect(told(hubError('provider.throttled', { detail: { scope: 'pair' } }))).toBeUndefined();
    expect(told(hubError('provider.rejected'))).toBeUndefined();
    expect(told(hubError('media.not_found'))).toBeUndefined();
    expect(told(hubError('service.unavailable'))).toBeUndefined();
  });

  it('speaks in the public words, bounded', () => {
    expect(healthOfError(hubError('provider.unauthorized', { publicMessage: 'x'.repeat(2_000), detail: { internal: 'secret' } }), at)).toEqual({
      lastError: { code: 'provider.unauthorized', message: 'x'.repeat(500), at },
    });
  });
});
