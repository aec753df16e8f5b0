import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { issuerAlgorithms, type TenantId, type TrustedIssuer } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { testTenants } from '@switchboard/testing';
import fc from 'fast-check';
import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import { createHmac, createPrivateKey, createPublicKey, type JsonWebKey } from 'node:crypto';
import type { Dependencies } from '../dependencies.ts';
import type { IssuerRow } from '../store/issuers.ts';
import { memberPrincipal, platform, startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';
import { startJsonServer, type JsonServer } from '../testing/start-json-server.ts';
import { failedMs, freshMs, staleMs, unknownKidMs } from './create-jwks-cache.ts';

const [acme, globex] = testTenants;
const secret = 'a secret of the issuer that is long enough';
const issuer = 'https://idp.acme.test';
const audience = 'hub';

let world: AuthWorld;
let here: Dependencies;
let keyServer: JsonServer;
let privateKey: Awaited<ReturnType<typeof generateKeyPair>>['privateKey'];
let publicJwk: Awaited<ReturnType<typeof exportJWK>>;

beforeAll(async () => {
  world = await startAuthWorld();
  for (const tenantId of testTenants) world.plans.set(tenantId, 'starter');
  const pair = await generateKeyPair('RS256', { extractable: true });
  privateKey = pair.privateKey;
  publicJwk = { ...(await exportJWK(pair.publicKey)), kid: 'first' };
  keyServer = await startJsonServer({ keys: [publicJwk] });
}, 60_000);
afterAll(async () => {
  keyServer?.close();
  await world?.close();
});
afterEach(async () => {
  keyServer.answer = { keys: [publicJwk] };
  keyServer.asked.length = 0;
  for (const realm of [acme, globex, undefined]) await inRealm(realm, async () => {
    for (const { issuerId } of await here.issuerStore.list(100, undefined)) await here.issuers.remove(issuerId);
  });
});

// A process of its own for each test: none remembers another's keys.
const fresh = () => (here = world.process());
const inRealm = <T>(realm: TenantId | undefined, fn: () => Promise<T>) => (realm === undefined ? runAsSystem('a test of the platform', fn) : runAsTenant(realm, fn));
const hs256 = { kind: 'hs256', issuer, audience, secret, maxRole: 'admin' } as const satisfies TrustedIssuer;
const jwks = (): TrustedIssuer => ({ kind: 'jwks', issuer, audience, jwksUrl: keyServer.url, algorithm: 'RS256', maxRole: 'agent' });
const trust = (realm: TenantId | undefined, trusted: TrustedIssuer): Promise<IssuerRow> => inRealm(realm, () => here.issuers.create(platform, trusted));
const inSeconds = (ms: number) => Math.floor((world.now().getTime() + ms) / 1000);
const claims = (tenantId: TenantId, more: JWTPayload = {}): JWTPayload => ({ iss: issuer, aud: audience, sub: 'machine-7', tenant_id: tenantId, exp: inSeconds(60_000), ...more });
const signHs = (payload: JWTPayload, key = secret) => new SignJWT(payload).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(key));
const signRs = (payload: JWTPayload, kid = 'first') => new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(privateKey);
const fate = (attempt: Promise<unknown>) => attempt.then(() => 'done', (error: { code?: string }) => error.code);

describe('the token of a tenant\'s own issuer', () => {
  it('speaks for that tenant, as whom it names, and for no other', async () => {
    fresh();
    const { issuerId } = await trust(acme, hs256);
    expect(await here.verifyBearer(await signHs(claims(acme, { role: 'admin' })))).toEqual({
      kind: 'member', tenantId: acme, subject: `${issuerId}:machine-7`, role: 'admin', scopes: expect.arrayContaining(['members:write']), expiresAt: new Date(inSeconds(60_000) * 1000).toISOString(),
    });
    expect(await fate(here.verifyBearer(await signHs(claims(globex))))).toBe('auth.missing');
    await trust(globex, { ...hs256, secret: 'another secret of the same issuer name' });
    expect(await fate(here.verifyBearer(await signHs(claims(globex))))).toBe('auth.missing');
    expect(await here.verifyBearer(await signHs(claims(globex), 'another secret of the same issuer name'))).toMatchObject({ tenantId: globex });
  });

  it('makes of its bearer an agent, or what it says up to what the issuer may say, and never one of the platform', async () => {
    fresh();
    await trust(acme, hs256);
    const roleOf = async (role: unknown) => here.verifyBearer(await signHs(claims(acme, { role })));
    for (const role of [undefined, 'agent', 'platform', 'king', 7]) expect(await roleOf(role)).toMatchObject({ kind: 'member', role: 'agent', scopes: ['state:read', 'state:write'] });
    for (const role of ['admin', 'owner']) expect(await roleOf(role)).toMatchObject({ kind: 'member', role: 'admin' });
  });

  it('is refused too early, too late, good for too long, for others, and without end, subject or tenant', async () => {
    fresh();
    await trust(acme, hs256);
    const hourMs = 3_600_000;
    const wrong: JWTPayload[] = [
      claims(acme, { exp: inSeconds(0) }),
      claims(acme, { exp: inSeconds(25 * hourMs) }),
      claims(acme, { nbf: inSeconds(hourMs) }),
      claims(acme, { aud: 'somebody else' }),
      claims(acme, { sub: '' }),
      claims(acme, { sub: 'a\u0000b' }),
      claims(acme, { iss: 'a\u0000b' }),
      ...(['exp', 'aud', 'sub', 'tenant_id'] as const).map((name) => Object.fromEntries(Object.entries(claims(acme)).filter(([key]) => key !== name))),
    ];
    for (const payload of wrong) expect({ payload, fate: await fate(here.verifyBearer(await signHs(payload))) }).toEqual({ payload, fate: 'auth.missing' });
    expect(await fate(here.verifyBearer(await signHs(claims(acme))))).toBe('done');
  });

  it('opens nothing once the issuer is switched off or deleted, and the gateways hear of it', async () => {
    fresh();
    await trust(undefined, { ...hs256, secret: 'that of the platform, which is not asked' });
    const { issuerId } = await trust(acme, hs256);
    const token = await signHs(claims(acme));
    const ofPlatform = await signHs(claims(acme), 'that of the platform, which is not asked');
    expect(await fate(here.verifyBearer(ofPlatform))).toBe('auth.missing');
    world.published.length = 0;
    await runAsTenant(acme, () => here.issuers.setEnabled(platform, issuerId, false));
    for (const each of [token, ofPlatform]) expect(await fate(world.process().verifyBearer(each))).toBe('auth.missing');
    await runAsTenant(acme, () => here.issuers.setEnabled(platform, issuerId, true));
    expect(await fate(here.verifyBearer(token))).toBe('done');
    await runAsTenant(acme, () => here.issuers.remove(issuerId));
    expect(await fate(here.verifyBearer(token))).toBe('auth.missing');
    expect(world.published.map(({ type, tenantId }) => `${tenantId} ${type}`)).toEqual(Array.from({ length: 3 }, () => [`${acme} audit.recorded`, `${acme} issuer.changed`]).flat());
    expect(JSON.stringify(world.published)).not.toContain(secret);
  });
});

describe('the token of an issuer of the platform', () => {
  it('speaks for any tenant that there is', async () => {
    fresh();
    const { issuerId } = await trust(undefined, hs256);
    for (const tenantId of testTenants) expect(await here.verifyBearer(await signHs(claims(tenantId)))).toMatchObject({ tenantId, subject: `${issuerId}:machine-7` });
    expect(await fate(here.verifyBearer(await signHs(claims('nobody' as TenantId))))).toBe('auth.missing');
  });
});

describe('a forged token', () => {
  it('is nobody\'s, whatever is changed in it', async () => {
    fresh();
    await trust(acme, hs256);
    await trust(globex, jwks());
    const tokens = [await signHs(claims(acme)), await signRs(claims(globex))];
    for (const token of tokens) expect(await fate(here.verifyBearer(token))).toBe('done');
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...tokens), fc.nat(), fc.integer({ min: 1, max: 255 }), async (token, place, flip) => {
        const parts = token.split('.').map((part) => Buffer.from(part, 'base64url'));
        const part = parts[place % 3]!;
        const at = Math.floor(place / 3) % part.length;
        part[at] = part[at]! ^ flip;
        expect(await fate(here.verifyBearer(parts.map((bytes) => bytes.toString('base64url')).join('.')))).toBe('auth.missing');
      }),
      { numRuns: 150 },
    );
  });

  it('is nobody\'s, whatever algorithm it names and whatever it is signed with', async () => {
    fresh();
    await trust(acme, hs256);
    await trust(globex, jwks());
    const pem = createPublicKey({ key: publicJwk as JsonWebKey, format: 'jwk' }).export({ type: 'spki', format: 'pem' });
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const keys = [secret, pem.toString(), JSON.stringify(publicJwk), ''];
    for (const tenantId of testTenants) {
      for (const alg of ['none', 'None', 'HS256', 'HS384', 'HS512', 'RS256', 'RS512', 'PS256', 'ES256', 'EdDSA']) {
        for (const key of keys) {
          const isRight = tenantId === acme && alg === 'HS256' && key === secret;
          const body = `${encode({ alg, kid: 'first' })}.${encode(claims(tenantId))}`;
          const hash = alg.startsWith('HS') ? `sha${alg.slice(2)}` : 'sha256';
          const outcome = await fate(here.verifyBearer(`${body}.${createHmac(hash, key).update(body).digest('base64url')}`));
          expect({ tenantId, alg, outcome }).toEqual({ tenantId, alg, outcome: isRight ? 'done' : 'auth.missing' });
        }
        expect(await fate(here.verifyBearer(`${encode({ alg, kid: 'first' })}.${encode(claims(tenantId))}.`))).toBe('auth.missing');
      }
    }
    // Signed rightly, by an algorithm that is not the record's.
    const other = await new SignJWT(claims(globex)).setProtectedHeader({ alg: 'PS256', kid: 'first' }).sign(createPrivateKey({ key: (await exportJWK(privateKey)) as JsonWebKey, format: 'jwk' }));
    expect(await fate(here.verifyBearer(other))).toBe('auth.missing');
  });
});

describe('published keys', () => {
  it.each(issuerAlgorithms)('of %s verify tokens by it, and by no other that another issuer of the tenant has', async (algorithm) => {
    fresh();
    const pair = await generateKeyPair(algorithm, { extractable: true });
    keyServer.answer = { keys: [{ ...(await exportJWK(pair.publicKey)), kid: 'its own' }] };
    await trust(acme, { ...jwks(), algorithm } as TrustedIssuer);
    await trust(acme, { ...hs256, issuer: 'https://another.test' });
    const sign = (payload: JWTPayload, alg: string) => new SignJWT(payload).setProtectedHeader({ alg, kid: 'its own' }).sign(pair.privateKey);
    expect(await fate(here.verifyBearer(await sign(claims(acme), algorithm)))).toBe('done');
    expect(await fate(here.verifyBearer(await sign(claims(acme, { iss: 'https://another.test' }), algorithm)))).toBe('auth.missing');
  });

  it('are fetched once, again for a key that is new, and not for each key that somebody invents', async () => {
    fresh();
    await trust(globex, jwks());
    await Promise.all(Array.from({ length: 10 }, async () => here.verifyBearer(await signRs(claims(globex)))));
    expect(keyServer.asked).toHaveLength(1);
    for (const kid of ['a', 'b', 'c']) expect(await fate(here.verifyBearer(await signRs(claims(globex), kid)))).toBe('auth.missing');
    expect(keyServer.asked).toHaveLength(1);
    keyServer.answer = { keys: [publicJwk, { ...publicJwk, kid: 'second' }] };
    world.wait(unknownKidMs);
    expect(await fate(here.verifyBearer(await signRs(claims(globex), 'second')))).toBe('done');
    expect(keyServer.asked).toHaveLength(2);
  });

  it('go on for an hour while the issuer is away, then tokens wait; one that is back is asked', async () => {
    fresh();
    await trust(globex, jwks());
    const attempt = async () => fate(here.verifyBearer(await signRs(claims(globex))));
    expect(await attempt()).toBe('done');
    keyServer.answer = undefined;
    world.wait(freshMs);
    expect(await attempt()).toBe('done');
    world.wait(staleMs - 1_000);
    expect(await attempt()).toBe('done');
    world.wait(1_000);
    const asked = keyServer.asked.length;
    expect(await attempt()).toBe('service.unavailable');
    expect(await attempt()).toBe('service.unavailable');
    expect(keyServer.asked.length).toBeLessThanOrEqual(asked + 1);
    keyServer.answer = { keys: [publicJwk] };
    world.wait(failedMs);
    expect(await attempt()).toBe('done');
  });

  it('are nowhere but where the platform lets calls go', async () => {
    fresh();
    for (const jwksUrl of ['https://169.254.169.254/keys', 'http://10.0.0.1/keys', 'https://[::1]/keys']) expect(await fate(trust(acme, { ...jwks(), jwksUrl } as TrustedIssuer))).toBe('egress.refused');
  });
});

describe('an issuer', () => {
  it('cannot have the name of the installation, nor one twice in a tenant', async () => {
    fresh();
    expect(await fate(trust(acme, { ...hs256, issuer: 'switchboard' }))).toBe('request.invalid');
    await trust(acme, hs256);
    expect(await fate(trust(acme, jwks()))).toBe('issuer.taken');
    expect(await fate(trust(globex, jwks()))).toBe('done');
  });

  it('is not made more of than who trusts it', async () => {
    fresh();
    const by = memberPrincipal(acme, await world.join(here, acme, 'admin', 'iris@example.com'), 'admin');
    const key = { kind: 'tenant', tenantId: acme, subject: 'key_1', via: 'key', role: undefined, scopes: ['members:write'] } as const;
    const attempt = (who: typeof by | typeof key, maxRole: TrustedIssuer['maxRole']) => fate(runAsTenant(acme, () => here.issuers.create(who, { ...hs256, issuer: `${who.kind} ${maxRole} ${Math.random()}`, maxRole })));
    expect(await Promise.all([attempt(by, 'owner'), attempt(by, 'admin'), attempt(key, 'admin'), attempt(key, 'agent')])).toEqual(['member.owners_only', 'done', 'auth.scope_missing', 'done']);
    const { issuerId } = await trust(acme, { ...hs256, maxRole: 'owner' });
    expect(await fate(runAsTenant(acme, () => here.issuers.setEnabled(by, issuerId, true)))).toBe('member.owners_only');
  });

  it('keeps its secret sealed', async () => {
    fresh();
    for (const realm of [acme, undefined]) {
      await trust(realm, hs256);
      const rows = await inRealm(realm, () => world.db.transaction(() => world.db.sql.query<{ row: string }>(`select t::text || encode(sealed_secret, 'escape') as row from ${realm === undefined ? 'platform_issuers' : 'issuers'} t`)));
      expect(rows).toHaveLength(1);
      for (const { row } of rows) expect(row).not.toContain(secret.slice(0, 10));
    }
  });
});
