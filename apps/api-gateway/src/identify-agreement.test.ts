import { describe, expect, it } from '@jest/globals';
import { generateApiKey, newId } from '@switchboard/contracts';
import { acme, globex, house } from '../test/identify-house.ts';

const missing = expect.objectContaining({ code: 'auth.missing' });
const mismatch = expect.objectContaining({ code: 'tenant.mismatch' });
const suspended = expect.objectContaining({ code: 'tenant.suspended' });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const adminKey = 'test-admin-key-0123456789';
const of = (tenantId: string, more: object = {}) => ({ kind: 'tenant', caller: expect.objectContaining({ tenantId, ...more }) });

describe('a subdomain', () => {
  const host = (label: string) => ({ host: `${label}.example.com:3000` });

  it('names a tenant and proves nothing', async () => {
    const { identify } = house();
    expect(await identify(host('acme'))).toMatchObject({ kind: 'nobody', tenant: { tenantId: acme } });
    expect(await identify(host('GLOBEX'))).toMatchObject({ kind: 'nobody', tenant: { tenantId: globex } });
    for (const label of ['initech', 'a.acme', '-', 'api']) expect(await identify(host(label))).toEqual({ kind: 'nobody', tenant: undefined });
    for (const other of ['example.com', 'acme.example.org', 'acmeexample.com', 'localhost']) expect(await identify({ host: other })).toEqual({ kind: 'nobody', tenant: undefined });
    expect(await house({ baseDomain: undefined }).identify(host('acme'))).toEqual({ kind: 'nobody', tenant: undefined });
  });

  it('reads, and does no more, where the platform trusts it', async () => {
    const { identify } = house({ trustedSubdomains: true });
    expect(await identify(host('acme'))).toEqual(of(acme, { via: 'subdomain', scopes: ['state:read'], role: undefined }));
    expect(await identify(host('globex'))).toEqual(of(globex));
    expect(await identify(host('acme'), { method: 'POST' })).toMatchObject({ kind: 'nobody', tenant: { tenantId: acme } });
    expect(await identify(host('initech'))).toEqual({ kind: 'nobody', tenant: undefined });
  });

  it('is asked about once in ten seconds, known or not for a second, and anew when the tenant changed its name', async () => {
    const { identify, asked, pass, setTenant, forgetTenant } = house();
    for (let i = 0; i < 3; i++) await Promise.all([identify(host('acme')), identify(host('initech'))]);
    expect(asked()).toBe(2);
    setTenant(acme, { subdomain: 'initech' });
    forgetTenant(acme);
    pass(1_001);
    // The new name first: the old one, which is still remembered, leads to the same tenant.
    expect(await identify(host('initech'))).toMatchObject({ tenant: { tenantId: acme } });
    expect(await identify(host('acme'))).toEqual({ kind: 'nobody', tenant: undefined });
  });

  it('that somebody makes up takes nothing from those that there are', async () => {
    const { identify, state, pass, asked } = house();
    await identify(host('acme'));
    pass(10_001);
    let answerNow: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answerNow = resolve));
    state.before = () => held;
    const before = asked();
    const flood = Array.from({ length: 300 }, (_, i) => identify(host(`made-up-${i}`)).catch((error: { code: string }) => error.code));
    const known = identify(host('acme'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(asked() - before).toBe(17);
    answerNow();
    expect(await known).toMatchObject({ tenant: { tenantId: acme } });
    expect((await Promise.all(flood)).filter((answer) => answer === 'service.unavailable')).toHaveLength(300 - 16 - 256);
  });

  it('is told of by proxies of ours alone', async () => {
    const { identify } = house({ trustedProxies: ['10.0.0.0/8'] });
    const headers = { host: 'globex.example.com', 'x-forwarded-host': 'acme.example.com' };
    expect(await identify(headers, { remoteAddress: '10.0.0.1' })).toMatchObject({ tenant: { tenantId: acme } });
    expect(await identify(headers)).toMatchObject({ tenant: { tenantId: globex } });
  });
});

describe('several names in one request', () => {
  const setup = () => {
    const all = house({ trustedSubdomains: true });
    return { ...all, keyOf: { acme: all.addKey({ tenantId: acme }), globex: all.addKey({ tenantId: globex }) }, tokenOf: { acme: all.addMember(acme), globex: all.addMember(globex) }, staff: all.addStaff() };
  };

  it('are one caller when they agree: a person rather than a key, and never only a host', async () => {
    const { identify, keyOf, tokenOf } = setup();
    const host = { host: 'acme.example.com' };
    expect(await identify({ ...host, 'x-api-key': keyOf.acme })).toEqual(of(acme, { via: 'key' }));
    expect(await identify({ ...host, ...bearer(tokenOf.acme) })).toEqual(of(acme, { via: 'member' }));
    expect(await identify({ ...host, 'x-api-key': keyOf.acme, ...bearer(tokenOf.acme) })).toEqual(of(acme, { via: 'member' }));
    expect(await identify({ host: 'api.example.com', 'x-api-key': keyOf.acme })).toEqual(of(acme));
  });

  it.each([
    ["a key and another tenant's host", (h: ReturnType<typeof setup>) => ({ host: 'globex.example.com', 'x-api-key': h.keyOf.acme })],
    ["a key and another tenant's token", (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.keyOf.acme, ...bearer(h.tokenOf.globex) })],
    ["a token and another tenant's host", (h: ReturnType<typeof setup>) => ({ host: 'globex.example.com', ...bearer(h.tokenOf.acme) })],
    ['a key and a host of nobody', (h: ReturnType<typeof setup>) => ({ host: 'initech.example.com', 'x-api-key': h.keyOf.acme })],
    ['a key and a host that can be nobody', (h: ReturnType<typeof setup>) => ({ host: 'a.b.example.com', 'x-api-key': h.keyOf.acme })],
    ['a token and a host of nobody', (h: ReturnType<typeof setup>) => ({ host: 'initech.example.com', ...bearer(h.tokenOf.acme) })],
    ['two of one tenant at the host of another', (h: ReturnType<typeof setup>) => ({ host: 'globex.example.com', 'x-api-key': h.keyOf.acme, ...bearer(h.tokenOf.acme) })],
    ['a key beside the admin key', (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.keyOf.acme, ...bearer(adminKey) })],
    ['a key beside a token of staff', (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.keyOf.acme, ...bearer(h.staff) })],
    ["the admin key at a tenant's host", () => ({ host: 'acme.example.com', ...bearer(adminKey) })],
    ["staff at a tenant's host", (h: ReturnType<typeof setup>) => ({ host: 'acme.example.com', ...bearer(h.staff) })],
  ])('are a mismatch: %s', async (_, headers) => {
    const all = setup();
    await expect(all.identify(headers(all))).rejects.toEqual(mismatch);
    // Remembered or not, the answer is the same.
    await expect(all.identify(headers(all))).rejects.toEqual(mismatch);
  });

  it.each([
    ['a key and a token that is none', (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.keyOf.acme, ...bearer('garbage') })],
    ['a key and a token that nobody made', (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.keyOf.acme, ...bearer(h.forgedToken()) })],
    ['a token and a key that nobody made', (h: ReturnType<typeof setup>) => ({ 'x-api-key': generateApiKey(newId('key')), ...bearer(h.tokenOf.acme) })],
    ['the admin key and a key that nobody made', () => ({ 'x-api-key': generateApiKey(newId('key')), ...bearer(adminKey) })],
    ["a key that nobody made and a tenant's host", () => ({ host: 'acme.example.com', 'x-api-key': generateApiKey(newId('key')) })],
    ['a key of the wrong kind: a token', (h: ReturnType<typeof setup>) => ({ 'x-api-key': h.tokenOf.acme })],
    ['a token of the wrong kind: a key', (h: ReturnType<typeof setup>) => bearer(h.keyOf.acme)],
    ['two keys', (h: ReturnType<typeof setup>) => ({ 'x-api-key': `${h.keyOf.acme}, ${h.keyOf.globex}` })],
    ['an empty key', () => ({ host: 'acme.example.com', 'x-api-key': '' })],
    ['an empty authorization', () => ({ host: 'acme.example.com', authorization: '' })],
  ])('are nobody when one of them is not valid: %s', async (_, headers) => {
    const all = setup();
    await expect(all.identify(headers(all))).rejects.toEqual(missing);
  });
});

describe('a tenant that is suspended or deleted', () => {
  it.each(['suspended', 'deleted'] as const)('%s: is told so whichever way it comes, and the other is served', async (status) => {
    const { identify, addKey, addMember, setTenant } = house();
    setTenant(acme, { status });
    for (const headers of [{ 'x-api-key': addKey({ tenantId: acme }) }, bearer(addMember(acme)), { host: 'acme.example.com' }]) await expect(identify(headers)).rejects.toEqual(suspended);
    expect(await identify({ 'x-api-key': addKey({ tenantId: globex }) })).toEqual(of(globex));
  });
});
