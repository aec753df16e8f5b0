import { describe, expect, it } from '@jest/globals';
import { generateApiKey, hubError, newId, tenantIdSchema, type ResolvedApiKey } from '@switchboard/contracts';
import { testKit } from '@switchboard/service-kit/testing';
import { createCallerLookup } from './caller-lookup.ts';

const acme = tenantIdSchema.parse('acme');
const missing = expect.objectContaining({ code: 'auth.missing' });

/** A look-up before a tenant-service of one answer, with a clock that stands still unless it is told to go. */
function lookUp(answer: () => Promise<Partial<ResolvedApiKey> | undefined> | Partial<ResolvedApiKey> | undefined) {
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  const keyId = newId('key');
  const kit = testKit({
    name: 'api-gateway',
    config: {},
    now: () => new Date(nowMs),
    answer: async () => {
      const resolved = await answer();
      if (resolved === undefined) throw hubError('auth.missing');
      return { keyId, scopes: ['state:read'], expiresAt: null, cidrs: [], rateLimit: null, tenant: { tenantId: acme, status: 'active', plan: 'starter', rateLimit: 100, subdomain: null, corsOrigins: [] }, ...resolved };
    },
  });
  return { callers: createCallerLookup(kit), calls: kit.calls, keyId, apiKey: generateApiKey(keyId), pass: (ms: number) => (nowMs += ms) };
}

describe('a known key', () => {
  it('is asked about once in ten seconds', async () => {
    const { callers, calls, apiKey, pass } = lookUp(() => ({}));
    for (let i = 0; i < 5; i++) await callers.find(apiKey);
    pass(9_999);
    await callers.find(apiKey);
    expect(calls).toHaveLength(1);
    pass(2);
    await callers.find(apiKey);
    expect(calls).toHaveLength(2);
  });

  it('is not known past its own end', async () => {
    const { callers, apiKey, pass } = lookUp(() => ({ expiresAt: '2026-11-21T12:00:03.000Z' }));
    await callers.find(apiKey);
    pass(3_001);
    await expect((async () => callers.find(apiKey))()).rejects.toEqual(missing);
  });

  it('is forgotten with its tenant and by its id', async () => {
    const { callers, calls, apiKey, keyId } = lookUp(() => ({}));
    await callers.find(apiKey);
    callers.forgetTenant(tenantIdSchema.parse('globex'));
    callers.forgetKey('key_other');
    await callers.find(apiKey);
    expect(calls).toHaveLength(1);
    callers.forgetKey(keyId);
    await callers.find(apiKey);
    callers.forgetTenant(acme);
    await callers.find(apiKey);
    expect(calls).toHaveLength(3);
  });

  it('is not kept by an answer that was under way when it was revoked', async () => {
    let answerNow: (resolved: Partial<ResolvedApiKey>) => void = () => undefined;
    let revoked = false;
    const { callers, apiKey, keyId } = lookUp(() => (revoked ? undefined : new Promise((resolve) => (answerNow = resolve))));
    const underWay = callers.find(apiKey);
    await new Promise((resolve) => setTimeout(resolve, 1));
    revoked = true;
    callers.forgetKey(keyId);
    answerNow({});
    await underWay;
    await expect((async () => callers.find(apiKey))()).rejects.toEqual(missing);
  });
});

describe('an unknown key', () => {
  it('is remembered for a second, and no longer than until it is made', async () => {
    let known = false;
    const { callers, calls, apiKey, keyId, pass } = lookUp(() => (known ? {} : undefined));
    const find = async () => callers.find(apiKey);
    await expect(find()).rejects.toEqual(missing);
    await expect(find()).rejects.toEqual(missing);
    expect(calls).toHaveLength(1);
    pass(1_001);
    await expect(find()).rejects.toEqual(missing);
    expect(calls).toHaveLength(2);
    known = true;
    callers.forgetKey(keyId);
    await expect(find()).resolves.toMatchObject({ tenantId: acme });
  });

  it.each([
    ['none', undefined],
    ['empty', ''],
    ['cut off', 'sk_'],
    ['very long', 'x'.repeat(10_000)],
    ['with a wrong checksum', `sk_${'0'.repeat(75)}`],
  ])('is never asked about when it is no key at all: %s', (_, key) => {
    const { callers, calls } = lookUp(() => ({}));
    expect(() => callers.find(key)).toThrow(missing);
    expect(calls).toHaveLength(0);
  });
});

describe('tenant-service away', () => {
  it('is not remembered as an unknown key', async () => {
    let away = true;
    const { callers, apiKey } = lookUp(() => {
      if (away) throw hubError('service.unavailable');
      return {};
    });
    const find = async () => callers.find(apiKey);
    await expect(find()).rejects.toMatchObject({ code: 'service.unavailable' });
    away = false;
    await expect(find()).resolves.toMatchObject({ tenantId: acme });
  });
});
