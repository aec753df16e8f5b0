import { hash, verify } from '@node-rs/argon2';
import { hubError } from '@switchboard/contracts';
import { randomBytes } from 'node:crypto';

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
  const limited = createTurnstile();
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

/** Lets so many in at a time and so many wait, first come, first served. */
function createTurnstile(): <T>(work: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (work) => {
    if (running >= concurrentMax) {
      if (waiting.length >= waitingMax) throw hubError('service.unavailable', { publicMessage: 'Too many people log in at the moment; try again in a few seconds.', retry: { afterMs: 3_000 } });
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
      });
    } else {
      running += 1;
    }
    try {
      return await work();
    } finally {
      // Whoever waits takes the place over; only without them it becomes free.
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
