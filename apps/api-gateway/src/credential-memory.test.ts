import { describe, expect, it } from '@jest/globals';
import { tenantIdSchema, type TenantFacts, type TenantId } from '@switchboard/contracts';
import type { Credential } from './credential-cache.ts';
import { createCredentialMemory } from './credential-memory.ts';

const acme = tenantIdSchema.parse('acme');
const globex = tenantIdSchema.parse('globex');
const credentialOf = (tenantId: TenantId): Credential => {
  const tenant: TenantFacts = { tenantId, status: 'active', plan: 'starter', rateLimit: 100, subdomain: null, corsOrigins: [] };
  return { kind: 'caller', networks: undefined, caller: { tenantId, subject: 'key_1', via: 'key', role: undefined, scopes: ['state:read'], rateLimit: 100, keyRateLimit: null, tenant } };
};

function world(entriesMax = 3) {
  let nowMs = 1_000_000;
  const memory = createCredentialMemory({ entriesMax, knownForMs: 10_000, lastForMs: 60_000, now: () => nowMs });
  const put = (key: string, tenantId = acme, { mark = memory.mark(), keptForMs = 10_000 } = {}) => {
    const credential = credentialOf(tenantId);
    memory.put(key, { credential, mark, until: nowMs + keptForMs });
    return credential;
  };
  return { ...memory, memory, put, pass: (ms: number) => (nowMs += ms) };
}

describe('a remembered credential', () => {
  it('is believed until its end, and known as one that was for a while after it', () => {
    const { put, get, last, pass } = world();
    const credential = put('a');
    pass(9_999);
    expect(get('a')).toBe(credential);
    pass(1);
    expect([get('a'), last('a')]).toEqual([undefined, credential]);
    pass(60_000);
    expect(last('a')).toBeUndefined();
  });

  it('is not believed once its tenant was forgotten, nor is an answer to a question from before; another tenant’s and the next answer are', () => {
    const { put, get, mark, forgetTenant, pass } = world();
    put('a');
    const other = put('b', globex);
    const before = mark();
    forgetTenant(acme);
    pass(1);
    put('c', acme, { mark: before });
    expect([get('a'), get('c'), get('b')]).toEqual([undefined, undefined, other]);
    const next = put('a');
    expect(get('a')).toBe(next);
  });

  it('is not believed again because many other tenants were forgotten later', () => {
    const { put, get, forgetTenant, pass } = world();
    put('a');
    forgetTenant(acme);
    for (let i = 0; i < 50; i++) {
      pass(199);
      forgetTenant(tenantIdSchema.parse(`tenant-${i}`));
      expect(get('a')).toBeUndefined();
    }
  });

  it('makes room for newer ones, the one that was put longest ago first, whatever was put anew and dropped between', () => {
    const { memory, put, last, drop, mark } = world(3);
    for (const key of ['a', 'b', 'c']) put(key);
    put('a');
    put('d');
    expect(['a', 'b', 'c', 'd'].map((key) => last(key) !== undefined)).toEqual([true, false, true, true]);
    drop('c', mark());
    put('e');
    put('f');
    expect(['a', 'd', 'e', 'f'].map((key) => last(key) !== undefined)).toEqual([false, true, true, true]);
    for (let i = 0; i < 1_000; i++) put(`key ${i}`);
    expect(memory.size).toBe(3);
    expect(['key 999', 'key 998', 'key 997', 'key 996'].map((key) => last(key) !== undefined)).toEqual([true, true, true, false]);
  });

  it('is neither replaced nor dropped by the answer to an older question', () => {
    const { put, get, drop, mark } = world();
    const [older, newer] = [mark(), mark()];
    const credential = put('a', acme, { mark: newer });
    put('a', globex, { mark: older });
    drop('a', older);
    expect(get('a')).toBe(credential);
    drop('a', newer);
    expect(get('a')).toBeUndefined();
  });
});
