import { hash, verify } from '@node-rs/argon2';
import { networkOf } from '@switchboard/service-kit';
import { currentActor } from '@switchboard/tenant-context';
import { randomBytes } from 'node:crypto';
import { createFairTurns } from './create-fair-turns.ts';

/** OWASP's second choice of parameters for argon2id (Password Storage Cheat Sheet, 2025): 19 MiB, two passes, one lane. */
export const argon2Parameters = { memoryKiB: 19_456, passes: 2, lanes: 1 } as const;

/** Hashes at a time: each takes 19 MiB and one of Node's four worker threads, which files and names are waited for with, too. */
const concurrentMax = 2;
/** Hashes that wait; with some 60 ms each, the last one waits for two seconds. More are sent away: a flood of log-ins fills no memory. */
const waitingMax = 64;

export interface PasswordHasher {
  hash(password: string): Promise<string>;
  /**
   * Without a hash, of an account that does not exist or has no password, it takes the same time and does not match. `isOutdated`: made with other
   * parameters than today's. Throws `service.unavailable` when too many wait.
   */
  verify(password: string, stored: string | null): Promise<{ readonly matches: boolean; readonly isOutdated: boolean }>;
}

export function createPasswordHasher(parameters: typeof argon2Parameters | { memoryKiB: number; passes: number; lanes: number } = argon2Parameters): PasswordHasher {
  const { memoryKiB, passes, lanes } = parameters;
  // 2 is argon2id; the library's constant exists for the compiler alone.
  const options = { algorithm: 2, memoryCost: memoryKiB, timeCost: passes, parallelism: lanes } as const;
  const prefix = `$argon2id$v=19$m=${memoryKiB},t=${passes},p=${lanes}$`;
  const turns = createFairTurns({ concurrentMax, waitingMax });
  // By where they come from: right passwords are no guesses and have no limit, and whoever sends them in a loop must not keep others out.
  const limited = <T>(work: () => Promise<T>): Promise<T> => turns.take(networkOf(currentActor().from ?? 'unknown'), work);
  const hashNow = (password: string) => hash(password.normalize('NFKC'), options);
  let dummy: Promise<string> | undefined;

  return {
    hash: (password) => limited(() => hashNow(password)),
    verify: (password, stored) =>
      limited(async () => {
        const against = stored ?? (await (dummy ??= hashNow(randomBytes(16).toString('hex'))));
        const matches = await verify(against, password.normalize('NFKC'));
        return { matches: matches && stored !== null, isOutdated: stored !== null && !stored.startsWith(prefix) };
      }),
  };
}
