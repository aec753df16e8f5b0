import { describe, expect, it } from '@jest/globals';
import { providers, type ProviderEntry, type RawWebhook } from '@switchboard/providers';
import { signWebhook } from '@switchboard/providers/webhook-auth';
import { createVerifier } from './create-verifier.ts';

const { auth } = providers.whatsapp.webhook;
const now = new Date('2026-01-01T00:00:00Z');
const having = (...values: string[]) => ({ secrets: { webhookSecrets: values.map((value) => ({ value, expiresAt: null })), verifyToken: null } });
const wrong = (count: number) => Array.from({ length: count }, (_, index) => having(`wrong-${index}`));

function verifierOf(bytes: number) {
  const body = Buffer.alloc(bytes, 0x20);
  return createVerifier(auth, { method: 'POST', url: '', headers: signWebhook(auth, { url: '', body }, 'right'), body }, now);
}

describe('the verifier of one webhook', () => {
  it('hashes a large body a few times at most, whoever\'s accounts it names', () => {
    const verifier = verifierOf(4 * 1024 * 1024);
    expect(wrong(100).some((connection) => verifier.isSignedBy(connection))).toBe(false);
    expect(verifier.isSignedBy(having('right'))).toBe(false);
  });

  it('finds the secret of a small one among dozens, and does not count one that many connections have twice', () => {
    const verifier = verifierOf(500);
    for (let time = 0; time < 5; time++) expect(wrong(60).some((connection) => verifier.isSignedBy(connection))).toBe(false);
    expect(verifier.isSignedBy(having('previous', 'right'))).toBe(true);
  });

  it('says so of every connection that has the secret, and of none that has not, once it was found', () => {
    const verifier = verifierOf(4 * 1024 * 1024);
    expect(verifier.isSignedBy(having('right'))).toBe(true);
    expect(wrong(100).some((connection) => verifier.isSignedBy(connection))).toBe(false);
    expect(verifier.isSignedBy(having('wrong-1', 'right'))).toBe(true);
  });
});

describe('who does not even claim to be the provider', () => {
  const claims = (entry: ProviderEntry, webhook: Partial<RawWebhook>) => createVerifier(entry.webhook.auth, { method: 'POST', url: '', headers: {}, body: Buffer.from('{}'), ...webhook }, now).isPlausible;

  it('is known by having none of the headers and no secret in the URL', () => {
    expect([claims(providers.whatsapp, {}), claims(providers.chatwoot, {}), claims(providers.botpress, { headers: { 'x-hub-signature-256': 'x' } })]).toEqual([false, false, false]);
    expect(claims(providers.whatsapp, { pathToken: 'x' })).toBe(false);
    for (const header of ['x-chatwoot-signature', 'x-webhook-token']) expect(claims(providers.chatwoot, { headers: { [header]: 'x' } })).toBe(true);
    for (const header of ['x-secret-key', 'x-webhook-token', 'x-bp-secret', 'x-bp-signature']) expect(claims(providers.botpress, { headers: { [header]: 'x' } })).toBe(true);
    for (const entry of [providers.chatwoot, providers.botpress]) expect(claims(entry, { pathToken: 'x' })).toBe(true);
  });
});
