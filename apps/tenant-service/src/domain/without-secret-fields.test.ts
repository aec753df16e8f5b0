import { describe, expect, it } from '@jest/globals';
import { generateApiKey, newId } from '@switchboard/contracts';
import { providers, type ProviderEntry } from '@switchboard/providers';
import * as fc from 'fast-check';
import { isSecretName, withoutSecretFields } from './without-secret-fields.ts';

describe('what the audit keeps', () => {
  it('has none of the secret fields of any provider\'s credentials, and all the others', () => {
    for (const { secretFields, credentials, credentialType } of Object.values<ProviderEntry>(providers)) {
      const names = Object.keys(credentials.shape);
      const form = Object.fromEntries(names.map((name) => [name, `value-of-${name}`]));
      const kept = withoutSecretFields({ type: credentialType, settings: { nested: [form] } });
      const text = JSON.stringify(kept);
      for (const name of names) expect([name, text.includes(`value-of-${name}"`)]).toEqual([name, !secretFields.includes(name)]);
    }
  });

  it.each(['appSecret', 'access_token', 'Authorization', 'password', 'passwordHash', 'apiKey', 'x-api-key', 'recoveryCodes', 'totpSeed', 'sealedCredentials', 'private_key', 'webhookSecrets', 'refreshToken'])('has no field %s', (name) => {
    expect(withoutSecretFields({ [name]: 'hunter2', deep: { [name]: ['hunter2'] } })).toEqual({ deep: {} });
  });

  it.each(['plan', 'rateLimit', 'apiKeyId', 'tokenExpiresAt', 'credentialType', 'secretFields', 'scopes', 'footprint', 'keyId', 'role'])('has the field %s', (name) => expect(isSecretName(name)).toBe(false));

  it('has no secret inside of a text', () => {
    const apiKey = generateApiKey(newId('key'));
    const kept = withoutSecretFields({
      reason: `refused ${apiKey} by Bearer abcdefgh12345678`,
      url: 'https://user:hunter2@proxy.example/x',
      token: 'x',
      note: 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl',
    });
    expect(kept).toEqual({ reason: 'refused [secret] by [secret]', url: 'https://user:[secret]@proxy.example/x', note: '[secret]' });
  });

  it('is JSON that Postgres takes, of whatever it is given, and not long', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), fc.anything({ withBigInt: true, withDate: true, withTypedArray: true, withMap: true })), (value) => {
        const text = JSON.stringify(withoutSecretFields(value));
        expect(text.length).toBeLessThanOrEqual(32_768);
        expect(text.isWellFormed() && !text.includes('\\u0000') && !/\\ud[89a-f]/i.test(text)).toBe(true);
      }),
    );
    expect(withoutSecretFields({ text: 'ä'.repeat(50_000) })['text']).toHaveLength(2_001);
    expect(withoutSecretFields({ list: Array.from({ length: 150 }, () => 'y'.repeat(1_900)) })).toEqual({ cut: expect.stringMatching(/characters$/) });
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(JSON.stringify(withoutSecretFields(circle))).toContain('…');
  });
});
