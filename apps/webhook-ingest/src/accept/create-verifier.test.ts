import { describe, expect, it } from '@jest/globals';
import { providers } from '@switchboard/providers';
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
