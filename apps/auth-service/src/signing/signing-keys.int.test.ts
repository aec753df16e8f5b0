import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createEnvKeyProvider } from '@switchboard/secrets';
import { testTenants } from '@switchboard/testing';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { createSigningKeyStore } from '../store/signing-keys.ts';
import { startAuthWorld, type AuthWorld } from '../testing/auth-world.ts';
import { createSigningKeys, type SigningKeys } from './create-signing-keys.ts';
import { publishLeadMs, signingMs } from './plan-signing-keys.ts';

const [acme] = testTenants;
const oldKey = randomBytes(32).toString('base64');
const newKey = randomBytes(32).toString('base64');

let world: AuthWorld;
let admin: Client;

const processWith = (keyText: string): SigningKeys => createSigningKeys({ db: world.db, store: createSigningKeyStore(world.db), keyProvider: createEnvKeyProvider(keyText), now: world.now });
const kids = async (keys: SigningKeys) => (await keys.published()).map(({ kid }) => kid);

beforeAll(async () => {
  world = await startAuthWorld();
  admin = new Client({ connectionString: world.adminUrl });
  await admin.connect();
}, 60_000);
afterAll(async () => {
  await admin?.end();
  await world?.close();
});

describe('keys that sign', () => {
  it('are made once, by whichever of many processes comes first', async () => {
    const signers = await Promise.all(Array.from({ length: 6 }, () => processWith(oldKey).signer()));
    expect(new Set(signers.map(({ kid }) => kid)).size).toBe(1);
  });

  it('are published before they sign, in every process, and verify until their tokens have ended', async () => {
    const here = processWith(oldKey);
    const there = processWith(oldKey);
    const { kid: first } = await there.signer();
    const next = await here.rotate();
    expect(next).toMatchObject({ isNew: true, signsFrom: new Date(world.now().getTime() + publishLeadMs) });
    expect(await here.rotate()).toEqual({ ...next, isNew: false });
    world.wait(31_000);
    expect(await kids(there)).toEqual([first, next.kid]);
    expect((await there.signer()).kid).toBe(first);
    world.wait(publishLeadMs);
    expect((await there.signer()).kid).toBe(next.kid);
    expect(await there.verifier(first)).toBeDefined();
    world.wait(16 * 60_000);
    expect(await there.verifier(first)).toBeUndefined();
    await here.maintain();
    expect(await kids(here)).toEqual([next.kid]);
  });

  it('change by themselves every thirty days', async () => {
    const here = processWith(oldKey);
    const { kid } = await here.signer();
    await here.maintain();
    expect(await kids(here)).toEqual([kid]);
    world.wait(signingMs);
    await here.maintain();
    expect(await kids(here)).toHaveLength(2);
    world.wait(publishLeadMs);
    expect((await here.signer()).kid).not.toBe(kid);
  });

  it('are wrapped by the key-encryption key of today, and their private part is forgotten when they sign no more', async () => {
    await processWith(`${newKey},${oldKey}`).maintain();
    const rows = await admin.query<{ wrapped: Buffer | null }>('select wrapped from auth.signing_keys order by signs_from');
    expect(rows.rows.map(({ wrapped }) => wrapped === null)).toEqual([true, false]);
    await expect(processWith(newKey).signer()).resolves.toBeDefined();
    await expect(processWith(oldKey).signer()).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('do not open when their row was changed or moved', async () => {
    await admin.query(`update auth.signing_keys set public_jwk = jsonb_set(public_jwk, '{x}', to_jsonb($1::text)) where wrapped is not null`, [randomBytes(32).toString('base64url')]);
    await expect(processWith(newKey).signer()).rejects.toMatchObject({ code: 'secret.unreadable' });
  });

  it('are closed to tenants', async () => {
    await expect(admin.query(`set role switchboard_auth; set app.tenant_id = '${acme}'; select from auth.signing_keys`)).rejects.toThrow(/permission denied/);
  });
});
