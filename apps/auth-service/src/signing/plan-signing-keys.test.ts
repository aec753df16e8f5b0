import { describe, expect, it } from '@jest/globals';
import { planSigningKeys, publishLeadMs, signingMs } from './plan-signing-keys.ts';

const start = Date.parse('2026-11-21T12:00:00Z');
const at = (ms: number) => new Date(start + ms);
const first = { kid: 'first', signsFrom: at(0) };
const second = { kid: 'second', signsFrom: at(signingMs) };
const quarterMs = 15 * 60_000;

describe('signing keys', () => {
  it('are wanted when there is none, and when the one that signs is about to be old', () => {
    expect(planSigningKeys([], at(0)).isDue).toBe(true);
    expect(planSigningKeys([first], at(signingMs - publishLeadMs - 1)).isDue).toBe(false);
    expect(planSigningKeys([first], at(signingMs - publishLeadMs)).isDue).toBe(true);
    expect(planSigningKeys([first, second], at(signingMs - 1)).isDue).toBe(false);
  });

  it('are published before they sign', () => {
    expect(planSigningKeys([first, second], at(signingMs - 1))).toMatchObject({ signing: 'first', next: 'second', verifying: ['first', 'second'] });
    expect(planSigningKeys([first, second], at(signingMs))).toMatchObject({ signing: 'second', next: undefined });
  });

  it('sign from the first on, also where the clock is behind', () => {
    expect(planSigningKeys([first], at(-5_000))).toMatchObject({ signing: 'first', next: undefined, isDue: false });
  });

  it('verify until the last token that they signed has ended', () => {
    expect(planSigningKeys([first, second], at(signingMs + quarterMs))).toMatchObject({ verifying: ['first', 'second'], outdated: [] });
    expect(planSigningKeys([first, second], at(signingMs + quarterMs + 60_000))).toMatchObject({ verifying: ['second'], outdated: ['first'] });
  });
});
