import { describe, expect, it } from '@jest/globals';
import { argon2Parameters, createPasswordHasher } from './create-password-hasher.ts';

const quick = createPasswordHasher({ memoryKiB: 64, passes: 1, lanes: 1 });

describe('passwords', () => {
  it('are hashed with argon2id and the parameters that OWASP names', async () => {
    expect(argon2Parameters).toEqual({ memoryKiB: 19_456, passes: 2, lanes: 1 });
    const hasher = createPasswordHasher();
    const stored = await hasher.hash('correct horse battery');
    expect(stored).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(await hasher.verify('correct horse battery', stored)).toEqual({ matches: true, isOutdated: false });
    expect(await hasher.verify('correct horse batterx', stored)).toEqual({ matches: false, isOutdated: false });
  });

  it('are the same however their accents were typed', async () => {
    expect(await quick.verify('cafe\u0301 au lait', await quick.hash('caf\u00e9 au lait'))).toMatchObject({ matches: true });
  });

  it('never match where there is none', async () => {
    expect(await quick.verify('anything at all', null)).toEqual({ matches: false, isOutdated: false });
  });

  it('say when they were hashed with other parameters', async () => {
    expect(await createPasswordHasher().verify('correct horse battery', await quick.hash('correct horse battery'))).toEqual({ matches: true, isOutdated: true });
  });

  it('that come in a flood wait in a short line, and the rest is sent away', async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 200 }, () => quick.hash('correct horse battery')));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(outcomes.length - refused.length).toBe(66);
    expect(refused[0]).toMatchObject({ reason: { code: 'service.unavailable', retry: { afterMs: 3_000 } } });
    expect(await quick.hash('afterwards')).toMatch(/^\$argon2id/);
  });
});
