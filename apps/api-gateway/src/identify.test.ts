import { describe, expect, it } from '@jest/globals';
import { generateApiKey, newId, type MemberId } from '@switchboard/contracts';
import { acme, globex, house, request } from '../test/identify-house.ts';
import { tokenText } from '../test/token-text.ts';

const missing = expect.objectContaining({ code: 'auth.missing' });
const suspended = expect.objectContaining({ code: 'tenant.suspended' });
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const adminKey = 'test-admin-key-0123456789';
const of = (tenantId: string, more: object = {}) => ({ kind: 'tenant', caller: expect.objectContaining({ tenantId, ...more }) });

describe('a key', () => {
  it('is its tenant, with what the tenant and the key may', async () => {
    const { identify, addKey } = house();
    expect(await identify({ 'x-api-key': addKey({ tenantId: acme, rateLimit: 7 }) })).toEqual(of(acme, { via: 'key', scopes: ['state:read'], rateLimit: 100, keyRateLimit: 7 }));
    expect(await identify({ 'x-api-key': addKey({ tenantId: globex }) })).toEqual(of(globex, { keyRateLimit: null }));
  });

  it('is asked about once in ten seconds, and is one object meanwhile, found without waiting', async () => {
    const { identify, identifyNow, addKey, asked, pass } = house();
    const key = addKey({ tenantId: acme });
    const first = await identify({ 'x-api-key': key });
    pass(9_999);
    const again = identifyNow(request({ 'x-api-key': key }));
    expect(again).not.toBeInstanceOf(Promise);
    expect((again as { caller: unknown }).caller).toBe((first as { caller: unknown }).caller);
    expect(asked()).toBe(1);
    pass(2);
    await identify({ 'x-api-key': key });
    expect(asked()).toBe(2);
  });

  it('is the same object after ten seconds when nothing changed, and another as soon as anything did', async () => {
    const { identify, addKey, setTenant, pass, asked } = house();
    const headers = { 'x-api-key': addKey({ tenantId: acme, cidrs: ['203.0.113.0/24'] }) };
    const callerNow = async () => {
      pass(10_001);
      const identity = await identify(headers);
      return identity.kind === 'tenant' ? identity.caller : undefined;
    };
    const first = await callerNow();
    expect(await callerNow()).toBe(first);
    setTenant(acme, { rateLimit: 200 });
    const changed = await callerNow();
    expect(changed).toMatchObject({ rateLimit: 200, tenant: { rateLimit: 200 } });
    expect(await callerNow()).toBe(changed);
    setTenant(acme, { corsOrigins: ['https://shop.example'] });
    expect(await callerNow()).not.toBe(changed);
    expect(asked()).toBe(5);
  });

  it('that comes back is asked about together with others that do, each told as itself', async () => {
    const { identify, addKey, revoke, pass, asked } = house();
    const keys = Array.from({ length: 20 }, (_, i) => addKey({ tenantId: i % 2 === 0 ? acme : globex, rateLimit: i + 1 }));
    const all = async () => await Promise.all(keys.map((key) => identify({ 'x-api-key': key }).catch((error: { code: string }) => error.code)));
    await all();
    expect(asked()).toBe(20);
    pass(10_001);
    revoke(keys[7]!);
    const expected = keys.map((_, i) => (i === 7 ? 'auth.missing' : of(i % 2 === 0 ? acme : globex, { keyRateLimit: i + 1 })));
    expect(await all()).toEqual(expected);
    expect(asked()).toBe(22);
  });

  it('is not known past its own end', async () => {
    const { identify, addKey, at, pass } = house();
    const key = addKey({ tenantId: acme, expiresAt: at(3) });
    await identify({ 'x-api-key': key });
    pass(3_001);
    await expect(identify({ 'x-api-key': key })).rejects.toEqual(missing);
  });

  it('is forgotten with its tenant and with no other', async () => {
    const { identify, addKey, asked, forgetTenant } = house();
    const keys = [addKey({ tenantId: acme }), addKey({ tenantId: globex })];
    const all = async () => await Promise.all(keys.map((key) => identify({ 'x-api-key': key })));
    await all();
    forgetTenant(globex);
    await all();
    expect(asked()).toBe(3);
    forgetTenant(acme);
    await all();
    expect(asked()).toBe(4);
  });

  it('is not kept by an answer that was under way when it was revoked', async () => {
    const { identify, addKey, revoke, forgetTenant, state } = house();
    const key = addKey({ tenantId: acme });
    let answerNow: (value?: unknown) => void = () => undefined;
    state.before = () => new Promise((resolve) => (answerNow = resolve));
    const underWay = identify({ 'x-api-key': key });
    await new Promise((resolve) => setTimeout(resolve, 1));
    state.before = async () => undefined;
    revoke(key);
    forgetTenant(acme);
    answerNow();
    await underWay;
    await expect(identify({ 'x-api-key': key })).rejects.toEqual(missing);
  });

  it('is asked about anew after it was revoked, also while the question from before is under way', async () => {
    const { identify, addKey, addMember, revoke, forgetTenant, state } = house();
    for (const credential of [{ 'x-api-key': addKey({ tenantId: acme }) }, bearer(addMember(acme))]) {
      let answerNow: (value?: unknown) => void = () => undefined;
      state.before = () => new Promise((resolve) => (answerNow = resolve));
      const before = identify(credential);
      await new Promise((resolve) => setTimeout(resolve, 1));
      state.before = async () => undefined;
      revoke(Object.values(credential)[0]!.replace('Bearer ', ''));
      forgetTenant(acme);
      const after = Promise.resolve(identify(credential)).then(
        () => undefined,
        (error: unknown) => error,
      );
      await new Promise((resolve) => setTimeout(resolve, 1));
      answerNow();
      expect(await after).toEqual(missing);
      await before;
    }
  });

  it('opens from its networks alone, told of by proxies of ours', async () => {
    const { identify, addKey } = house({ trustedProxies: ['10.0.0.0/8'] });
    const key = { 'x-api-key': addKey({ tenantId: acme, cidrs: ['198.51.100.0/24', '2001:db8::/32'] }) };
    const from = (remoteAddress: string, chain?: string) => identify(chain === undefined ? key : { ...key, 'x-forwarded-for': chain }, { remoteAddress });
    for (const address of ['198.51.100.9', '::ffff:198.51.100.9', '2001:db8::7']) expect(await from(address)).toEqual(of(acme));
    expect(await from('10.1.1.1', '198.51.100.9')).toEqual(of(acme));
    for (const address of ['203.0.113.5', '2001:db9::1', '']) await expect(from(address)).rejects.toEqual(missing);
    await expect(from('203.0.113.5', '198.51.100.9')).rejects.toEqual(missing);
    await expect(identify({ 'x-api-key': addKey({ tenantId: acme, cidrs: ['nonsense'] }) })).rejects.toEqual(missing);
  });

  it('of another installation is asked about only where there are such keys', async () => {
    const { identify, addKey, asked, state, pass } = house();
    const text = 'legacy-key-of-acme-2021';
    addKey({ tenantId: acme, text });
    await expect(identify({ 'x-api-key': text })).rejects.toEqual(missing);
    await expect(identify({ 'x-api-key': 'another-legacy-key-2021' })).rejects.toEqual(missing);
    expect(asked()).toBe(1);
    state.hasLegacy = true;
    pass(10_001);
    expect(await identify({ 'x-api-key': text })).toEqual(of(acme));
    await expect(identify({ 'x-api-key': 'another-legacy-key-2021' })).rejects.toEqual(missing);
  });

  it('of another installation cannot be guessed at any speed from one address', async () => {
    const { identify, addKey, state, asked } = house();
    state.hasLegacy = true;
    const guess = async (i: number, remoteAddress: string) => await identify({ 'x-api-key': `guess-of-a-legacy-key-${i}` }, { remoteAddress }).catch((error: { code: string }) => error.code);
    const answers = [];
    for (let i = 0; i < 650; i++) answers.push(await guess(i, '198.51.100.1'));
    expect([answers.filter((code) => code === 'auth.missing').length, answers.filter((code) => code === 'limit.rate_exceeded').length]).toEqual([600, 50]);
    expect(asked()).toBe(601);
    expect(await guess(0, '198.51.100.2')).toBe('auth.missing');
    // By IPv6 a machine has as many addresses as it likes.
    const ofMachine = [];
    for (let i = 0; i < 650; i++) ofMachine.push(await guess(1_000 + i, `2001:db8:5:6::${i.toString(16)}`));
    expect(ofMachine.filter((code) => code === 'limit.rate_exceeded')).toHaveLength(50);
    expect(await identify({ 'x-api-key': addKey({ tenantId: globex }) }, { remoteAddress: '198.51.100.1' })).toEqual(of(globex));
  });

  it('of another installation is no guess once it was valid: many behind one address go on, also while somebody there guesses', async () => {
    const { identify, addKey, state, pass, revoke } = house();
    state.hasLegacy = true;
    const keys = Array.from({ length: 150 }, (_, i) => addKey({ tenantId: i % 2 === 0 ? acme : globex, text: `legacy-key-number-${i}` }));
    for (let round = 0; round < 6; round++) {
      for (const key of keys) expect(await identify({ 'x-api-key': key })).toMatchObject({ kind: 'tenant' });
      pass(10_001);
    }
    const guess = async (text: string) => await identify({ 'x-api-key': text }).catch((error: { code: string }) => error.code);
    for (let i = 0; i < 650; i++) await guess(`guess-of-a-legacy-key-${i}`);
    expect(await guess('guess-of-a-legacy-key')).toBe('limit.rate_exceeded');
    expect(await identify({ 'x-api-key': keys[0] })).toEqual(of(acme));
    revoke(keys[1]!);
    expect(await guess(keys[1]!)).toBe('auth.missing');
  });

  it('is not unknown because tenant-service is away', async () => {
    const { identify, addKey, state } = house();
    const key = { 'x-api-key': addKey({ tenantId: acme }) };
    state.isAway = true;
    await expect(identify(key)).rejects.toMatchObject({ code: 'service.unavailable' });
    state.isAway = false;
    expect(await identify(key)).toEqual(of(acme));
  });
});

describe('a token', () => {
  it('is the member of its tenant, for ten seconds at the most and never past its end', async () => {
    const { identify, addMember, asked, pass } = house();
    const token = addMember(acme, { endsInSeconds: 12 });
    expect(await identify(bearer(token))).toEqual(of(acme, { via: 'member', role: 'agent', rateLimit: 100, keyRateLimit: null }));
    expect(await identify(bearer(addMember(globex)))).toEqual(of(globex));
    const before = asked();
    await identify(bearer(token));
    expect(asked()).toBe(before);
    pass(10_001);
    await identify(bearer(token));
    expect(asked()).toBeGreaterThan(before);
    pass(2_000);
    await expect(identify(bearer(token))).rejects.toEqual(missing);
  });

  it('has no older word of its tenant than ten seconds, whichever token of it came first', async () => {
    const { identify, addMember, setTenant, pass } = house();
    await identify(bearer(addMember(acme)));
    pass(9_000);
    const second = addMember(acme);
    await identify(bearer(second));
    setTenant(acme, { status: 'suspended' });
    pass(1_001);
    await expect(identify(bearer(second))).rejects.toEqual(suspended);
  });

  it('is forgotten with its tenant, when the member changed', async () => {
    const { identify, addMember, revoke, forgetTenant } = house();
    const [token, other] = [addMember(acme), addMember(globex)];
    await identify(bearer(token));
    await identify(bearer(other));
    revoke(token);
    forgetTenant(acme);
    await expect(identify(bearer(token))).rejects.toEqual(missing);
    expect(await identify(bearer(other))).toEqual(of(globex));
  });

  it.each([
    ['another scheme', 'Basic dXNlcjpwYXNz'],
    ['no token', 'Bearer '],
    ['two parts', 'Bearer a.b'],
    ['no JSON', 'Bearer YQ.YQ.YQ'],
    ['no algorithm', `Bearer ${tokenText({ exp: 4e9 }, { typ: 'JWT' })}`],
    ['the algorithm none', `Bearer ${tokenText({ exp: 4e9 }, { alg: 'none' })}`],
    ['no end', `Bearer ${tokenText({ sub: 'x' })}`],
    ['an end in the past', `Bearer ${tokenText({ exp: 1_700_000_000 })}`],
    ['an end that is a text', `Bearer ${tokenText({ exp: '4000000000' })}`],
    ['too much of it', `Bearer ${tokenText({ exp: 4e9, more: 'x'.repeat(9_000) })}`],
    ['an API key', `Bearer ${generateApiKey(newId('key'))}`],
  ])('is never asked about when it has %s', async (_, authorization) => {
    const { identify, asked } = house();
    await expect(identify({ authorization })).rejects.toEqual(missing);
    expect(asked()).toBe(0);
  });

  it("of staff, or the admin key, is the platform's; staff are forgotten after a second", async () => {
    const { identify, addStaff, revoke, pass } = house();
    const token = addStaff();
    expect(await identify(bearer(token))).toEqual({ kind: 'platform', subject: expect.stringMatching(/^mbr_/) });
    expect(await identify(bearer(adminKey))).toEqual({ kind: 'platform', subject: 'admin-key' });
    revoke(token);
    pass(1_001);
    await expect(identify(bearer(token))).rejects.toEqual(missing);
  });
});

describe('what is refused', () => {
  /** How many questions a fresh gateway asks about it: the time that a caller can measure. */
  async function questions(headers: (all: ReturnType<typeof house>) => Record<string, string>): Promise<number> {
    const all = house();
    const shown = headers(all);
    await expect(all.identify(shown)).rejects.toEqual(missing);
    return all.asked();
  }

  it('takes as long for a key that was, that has ended and that never was', async () => {
    const revoked = (all: ReturnType<typeof house>) => {
      const key = all.addKey({ tenantId: acme });
      all.revoke(key);
      return { 'x-api-key': key };
    };
    const ended = (all: ReturnType<typeof house>) => ({ 'x-api-key': all.addKey({ tenantId: acme, expiresAt: all.at(-1) }) });
    const never = () => ({ 'x-api-key': generateApiKey(newId('key')) });
    expect([await questions(revoked), await questions(ended), await questions(never)]).toEqual([1, 1, 1]);
  });

  it('takes as long for a token that was and one that nobody made', async () => {
    const disabled = (all: ReturnType<typeof house>) => {
      const token = all.addMember(acme, { subject: newId('mbr') satisfies MemberId });
      all.revoke(token);
      return bearer(token);
    };
    expect([await questions(disabled), await questions((all) => bearer(all.forgedToken()))]).toEqual([1, 1]);
  });

  it('says nothing of the wrong kind: a key that works and one that does not are the same as a token, and the other way round', async () => {
    const asToken = [(all: ReturnType<typeof house>) => bearer(all.addKey({ tenantId: acme })), () => bearer(generateApiKey(newId('key')))];
    const asKey = [(all: ReturnType<typeof house>) => ({ 'x-api-key': all.addMember(acme) }), (all: ReturnType<typeof house>) => ({ 'x-api-key': all.forgedToken() })];
    const [a, b, c, d] = [await questions(asToken[0]!), await questions(asToken[1]!), await questions(asKey[0]!), await questions(asKey[1]!)];
    expect([a, c]).toEqual([b, d]);
  });

  it('is remembered for a second', async () => {
    const { identify, asked, pass } = house();
    const key = { 'x-api-key': generateApiKey(newId('key')) };
    for (let i = 0; i < 3; i++) await expect(identify(key)).rejects.toEqual(missing);
    expect(asked()).toBe(1);
    pass(1_001);
    await expect(identify(key)).rejects.toEqual(missing);
    expect(asked()).toBe(2);
  });

  it.each([
    ['cut off', 'sk_'],
    ['very long', 'x'.repeat(10_000)],
    ['with a blank', 'a key with blanks in it, and long'],
  ])('is never asked about when it is no key at all: %s', async (_, key) => {
    const { identify, asked } = house();
    await expect(identify({ 'x-api-key': key })).rejects.toEqual(missing);
    expect(asked()).toBe(0);
  });

  it('pushes out nothing that is known', async () => {
    const { identify, addKey, asked } = house({ credentialsMax: 100 });
    const key = { 'x-api-key': addKey({ tenantId: acme }) };
    await identify(key);
    for (let i = 0; i < 500; i++) await identify({ 'x-api-key': generateApiKey(newId('key')) }).catch(() => undefined);
    const before = asked();
    await identify(key);
    expect(asked()).toBe(before);
  });

  it('takes nothing from who was let in lately, however much of it comes at once', async () => {
    const { identify, addKey, state, pass, asked } = house();
    const key = { 'x-api-key': addKey({ tenantId: acme }) };
    await identify(key);
    pass(10_001);
    let answerNow: () => void = () => undefined;
    const held = new Promise<void>((resolve) => (answerNow = resolve));
    state.before = () => held;
    const before = asked();
    const flood = Array.from({ length: 500 }, () => identify({ 'x-api-key': generateApiKey(newId('key')) }).catch((error: { code: string }) => error.code));
    const known = identify(key);
    await new Promise((resolve) => setTimeout(resolve, 5));
    // Those who wait for their turn are not before the known one.
    expect(asked() - before).toBe(33);
    answerNow();
    expect(await known).toEqual(of(acme));
    const codes = await Promise.all(flood);
    expect([codes.filter((code) => code === 'auth.missing').length, codes.filter((code) => code === 'service.unavailable').length]).toEqual([32 + 256, 212]);
    await expect(identify({ 'x-api-key': generateApiKey(newId('key')) })).rejects.toEqual(missing);
  });
});
