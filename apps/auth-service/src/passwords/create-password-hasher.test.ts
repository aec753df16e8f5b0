import { describe, expect, it } from '@jest/globals';
import { runWithActor } from '@switchboard/tenant-context';
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

  it('that one address floods with keep nobody else out: others have their turn beside it', async () => {
    const hashFrom = (from: string) => runWithActor({ kind: 'public', subject: 'anonymous', from }, () => quick.hash('correct horse battery'));
    const ends: string[] = [];
    const note = (from: string) => hashFrom(from).then(() => void ends.push(from), () => void ends.push(`${from} sent away`));
    const flood = Array.from({ length: 150 }, (_, index) => note(`2001:db8:1:2::${index.toString(16)}`));
    const others = ['203.0.113.1', '203.0.113.2', '203.0.113.3'];
    await Promise.all([...flood, ...others.map(note)]);
    expect(ends).toEqual(expect.arrayContaining(others));
    const served = ends.filter((end) => !end.endsWith('sent away'));
    expect(served).toHaveLength(66);
    expect(Math.max(...others.map((other) => served.indexOf(other)))).toBeLessThan(12);
  });

  it('that come from many addresses at once are served first come, first served, and the last are sent away', async () => {
    const from = Array.from({ length: 100 }, (_, index) => `198.51.100.${index}`);
    const outcomes = await Promise.allSettled(from.map((address) => runWithActor({ kind: 'public', subject: 'anonymous', from: address }, () => quick.hash('correct horse battery'))));
    expect(outcomes.map(({ status }) => status)).toEqual([...Array.from({ length: 66 }, () => 'fulfilled'), ...Array.from({ length: 34 }, () => 'rejected')]);
  });
});
