import { describe, expect, it } from '@jest/globals';
import { authenticatorOf, stepOfCode, toBase32 } from './one-time-code.ts';

// RFC 6238, appendix B, SHA-1: the last six of its eight digits, which are the code modulo a million.
const secret = toBase32(Buffer.from('12345678901234567890'));
const vectors = [[59, '287082'], [1_111_111_109, '081804'], [1_111_111_111, '050471'], [1_234_567_890, '005924'], [2_000_000_000, '279037'], [20_000_000_000, '353130']] as const;
const at = (seconds: number) => new Date(seconds * 1000);

describe('a code', () => {
  it.each(vectors)('at second %s is that of RFC 6238', (seconds, code) => {
    expect(authenticatorOf(secret).generate({ timestamp: seconds * 1000 })).toBe(code);
    expect(stepOfCode(secret, code, 0, at(seconds))).toBe(Math.floor(seconds / 30));
  });

  it('is taken one step early or late, and no further off', () => {
    const code = '005924';
    const start = Math.floor(1_234_567_890 / 30) * 30;
    for (const seconds of [start - 30, start, start + 59]) expect(stepOfCode(secret, code, 0, at(seconds))).toBe(start / 30);
    for (const seconds of [start - 31, start + 60]) expect(stepOfCode(secret, code, 0, at(seconds))).toBeUndefined();
  });

  it('is not taken again, nor one before it', () => {
    const step = Math.floor(1_234_567_890 / 30);
    expect(stepOfCode(secret, '005924', step - 1, at(1_234_567_890))).toBe(step);
    expect(stepOfCode(secret, '005924', step, at(1_234_567_890))).toBeUndefined();
    expect(stepOfCode(secret, '005924', step + 1, at(1_234_567_890))).toBeUndefined();
  });

  it('of another form is none', () => {
    for (const code of ['', '00592', '0059245', 'abcdef', '５９２４００']) expect(stepOfCode(secret, code, 0, at(1_234_567_890))).toBeUndefined();
  });
});
