import { beforeEach, describe, expect, it } from '@jest/globals';
import { hubError, newId, tenantIdSchema, type ConnectionId, type ConnectionWithSecrets, type TenantId } from '@switchboard/contracts';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { createProviderTokens, type FetchedToken, type ProviderTokens } from './create-provider-tokens.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const acmeConnection = newId('con');

let nowMs: number;
let fetches: number;
let answer: () => Promise<FetchedToken>;
let tokens: ProviderTokens;

const get = (tenantId: TenantId, connectionId: ConnectionId, refused?: string) => runAsTenant(tenantId, () => tokens.get(connectionId, refused));

beforeEach(() => {
  nowMs = Date.parse('2026-11-21T12:00:00Z');
  fetches = 0;
  answer = async () => ({ accessToken: `token-${fetches}`, lifetimeSeconds: 86_400 });
  tokens = createProviderTokens({
    loadConnection: async (connectionId) => {
      if (connectionId !== acmeConnection) throw hubError('connection.not_found');
      const connection: ConnectionWithSecrets = { tenantId: acme, connectionId, provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: {} };
      return connection;
    },
    fetchToken: () => {
      fetches += 1;
      return answer();
    },
    now: () => new Date(nowMs),
  });
});

describe('provider tokens', () => {
  it('are fetched once for many who ask at the same time', async () => {
    const given = await Promise.all(Array.from({ length: 20 }, () => get(acme, acmeConnection)));
    expect(new Set(given.map((token) => token.accessToken)).size).toBe(1);
    expect(fetches).toBe(1);
  });

  it('are fetched again shortly before they expire', async () => {
    answer = async () => ({ accessToken: `token-${fetches}`, lifetimeSeconds: 300 });
    await get(acme, acmeConnection);
    nowMs += 200_000;
    await get(acme, acmeConnection);
    expect(fetches).toBe(1);
    nowMs += 60_000;
    expect((await get(acme, acmeConnection)).accessToken).toBe('token-2');
  });

  it('are replaced once when the provider refuses one', async () => {
    const first = await get(acme, acmeConnection);
    nowMs += 60_000;
    const second = await get(acme, acmeConnection, first.fingerprint);
    expect(second.accessToken).not.toBe(first.accessToken);
    // Others who were refused with the first one get the second, not a third.
    expect((await get(acme, acmeConnection, first.fingerprint)).accessToken).toBe(second.accessToken);
    expect(fetches).toBe(2);
  });

  it('are not fetched in a loop when the provider refuses a fresh one', async () => {
    const first = await get(acme, acmeConnection);
    await expect(get(acme, acmeConnection, first.fingerprint)).rejects.toMatchObject({ code: 'provider.unauthorized' });
    await expect(get(acme, acmeConnection)).rejects.toMatchObject({ code: 'provider.unauthorized' });
    expect(fetches).toBe(1);
  });

  it('wait as long as the provider says after 429', async () => {
    answer = async () => {
      throw hubError('provider.throttled', { retry: { afterMs: 5_000 } });
    };
    await expect(get(acme, acmeConnection)).rejects.toMatchObject({ code: 'provider.throttled' });
    await expect(get(acme, acmeConnection)).rejects.toMatchObject({ code: 'provider.throttled' });
    expect(fetches).toBe(1);
    nowMs += 5_001;
    answer = async () => ({ accessToken: 'later', lifetimeSeconds: 3600 });
    expect((await get(acme, acmeConnection)).accessToken).toBe('later');
  });

  it('come back at once when new credentials were posted', async () => {
    answer = async () => {
      throw hubError('provider.unauthorized');
    };
    await expect(get(acme, acmeConnection)).rejects.toMatchObject({ code: 'provider.unauthorized' });
    tokens.drop(acmeConnection);
    answer = async () => ({ accessToken: 'good', lifetimeSeconds: 3600 });
    expect((await get(acme, acmeConnection)).accessToken).toBe('good');
  });

  it('of a fetch that new credentials overtook are neither kept nor given out', async () => {
    const answers: PromiseWithResolvers<FetchedToken>[] = [];
    answer = () => {
      const next = Promise.withResolvers<FetchedToken>();
      answers.push(next);
      return next.promise;
    };
    const waiting = get(acme, acmeConnection);
    await Promise.resolve();
    tokens.drop(acmeConnection);
    // Who comes after the change does not wait for the old fetch.
    const after = get(acme, acmeConnection);
    await Promise.resolve();
    expect(answers).toHaveLength(2);
    answers[0]?.resolve({ accessToken: 'old', lifetimeSeconds: 3600 });
    answers[1]?.resolve({ accessToken: 'new', lifetimeSeconds: 3600 });
    expect((await after).accessToken).toBe('new');
    expect((await waiting).accessToken).toBe('new');
    expect((await get(acme, acmeConnection)).accessToken).toBe('new');
  });

  it('are not refused by the memory of credentials that were replaced during the fetch', async () => {
    const old = Promise.withResolvers<FetchedToken>();
    answer = () => old.promise;
    const waiting = get(acme, acmeConnection);
    await Promise.resolve();
    tokens.drop(acmeConnection);
    answer = async () => ({ accessToken: 'good', lifetimeSeconds: 3600 });
    old.reject(hubError('provider.unauthorized'));
    expect((await waiting).accessToken).toBe('good');
    expect((await get(acme, acmeConnection)).accessToken).toBe('good');
  });

  it('answer another tenant as if the connection did not exist, also while the owner\'s is being fetched', async () => {
    const owners = Promise.withResolvers<FetchedToken>();
    tokens = createProviderTokens({
      loadConnection: async (connectionId) => {
        if (currentTenant() !== acme) throw hubError('connection.not_found');
        return { tenantId: acme, connectionId, provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: {} };
      },
      fetchToken: () => owners.promise,
      now: () => new Date(nowMs),
    });
    const given = get(acme, acmeConnection);
    const refused = get(globex, acmeConnection);
    owners.resolve({ accessToken: 'acme-token', lifetimeSeconds: 3600 });
    await expect(refused).rejects.toMatchObject({ code: 'connection.not_found' });
    expect((await given).accessToken).toBe('acme-token');
  });

  it('answer another tenant as if the connection did not exist, also from memory', async () => {
    tokens = createProviderTokens({
      loadConnection: async (connectionId) => {
        // tenant-service answers by the tenant of the call.
        if (ownerAsked !== acme) throw hubError('connection.not_found');
        return { tenantId: acme, connectionId, provider: 'genesys', role: 'desk', status: 'active', version: 1, routingIdentifiers: {}, settings: {}, credentials: {} };
      },
      fetchToken: async () => ({ accessToken: 'acme-token', lifetimeSeconds: 3600 }),
      now: () => new Date(nowMs),
    });
    let ownerAsked = acme;
    await get(acme, acmeConnection);
    ownerAsked = globex;
    await expect(get(globex, acmeConnection)).rejects.toMatchObject({ code: 'connection.not_found' });
    ownerAsked = acme;
    expect((await get(acme, acmeConnection)).accessToken).toBe('acme-token');
  });
});
