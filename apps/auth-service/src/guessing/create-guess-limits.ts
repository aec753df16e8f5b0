import { hubError } from '@switchboard/contracts';
import { networkOf } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import type { Realm } from '../domain/realm.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { GuessRule, GuessStore } from '../store/guess-counts.ts';

const minuteMs = 60_000;

/**
 * After so many failures each further one doubles the wait, from a second up to the most. A guess that must wait is answered 429 and not counted.
 * - An account from one address: a person who mistypes notices nothing, a guesser gets about a hundred a day.
 * - One address, at accounts that never logged in from it: somebody who tries a list of accounts does not get far.
 * - An account from all addresses that it never logged in from: many machines together get one guess in a minute. The owner's own addresses are
 *   not held up by them, and a link to set a new password opens the account from anywhere: nobody can be locked out for ever.
 * Those who log in from an address every day wait for their own failures alone: what a whole office mistypes in a month is no attack.
 */
export const guessRules = {
  accountFromAddress: { free: 5, waitMaxMs: 15 * minuteMs },
  address: { free: 50, waitMaxMs: 15 * minuteMs },
  account: { free: 20, waitMaxMs: minuteMs },
} as const satisfies Record<string, GuessRule>;

/** Milliseconds without a guess after which failures are forgotten. */
const forgetMs = 24 * 60 * minuteMs;
/** Milliseconds an address is known as the account's own. */
const knownMs = 30 * 24 * 60 * minuteMs;

/** What is guessed at: the account's name as it was given, whether there is such an account or not. */
export type Guess = { readonly realm: Realm; readonly account: string; readonly from: string | null };

export interface GuessLimits {
  /** Counts a guess. Throws `limit.rate_exceeded` with the time to wait, the same for accounts that exist and that do not. */
  claim(guess: Guess): Promise<void>;
  /** The secret was right: its failures are forgotten, and the address is known as the account's own. */
  succeeded(guess: Guess): Promise<void>;
  /** By the clock. */
  sweep(): Promise<void>;
}

export function createGuessLimits({ db, store, now }: { readonly db: AuthDatabase; readonly store: GuessStore; readonly now: () => Date }): GuessLimits {
  const inSystem = <T>(fn: () => Promise<T>) => runAsSystem('guesses are counted before it is known who guesses', () => db.transaction(fn));

  return {
    claim: (guess) =>
      inSystem(async () => {
        const at = now();
        const subjects = subjectsOf(guess);
        const isKnown = await store.isKnown(subjects.known, new Date(at.getTime() - knownMs));
        // Always in this order, so that two guesses never wait for each other.
        const rules = [
          [subjects.accountFromAddress, guessRules.accountFromAddress],
          ...(isKnown ? [] : ([[subjects.account, guessRules.account], [subjects.address, guessRules.address]] as const)),
        ] as const;
        for (const [subject, rule] of rules) {
          const until = await store.claim(subject, rule, at, new Date(at.getTime() - forgetMs));
          if (until !== undefined) throw hubError('limit.rate_exceeded', { publicMessage: 'Too many attempts. Wait as long as Retry-After says.', retry: { afterMs: Math.max(1_000, until.getTime() - at.getTime()) } });
        }
      }),

    succeeded: (guess) =>
      inSystem(async () => {
        const at = now();
        const { accountFromAddress, account, address, known } = subjectsOf(guess);
        await store.forget(accountFromAddress);
        await store.forget(account);
        // Not forgotten, and given back only where it was taken: who has one account of their own could guess at others without end.
        if (!(await store.isKnown(known, new Date(at.getTime() - knownMs)))) await store.giveBack(address);
        await store.remember(known, at);
      }),

    sweep: () => runAsSystem('guesses are counted before it is known who guesses', () => store.sweep(new Date(now().getTime() - forgetMs), new Date(now().getTime() - knownMs))),
  };
}

function subjectsOf({ realm, account, from }: Guess) {
  const network = from === null ? 'unknown' : networkOf(from);
  const hash = (...parts: readonly string[]) => createHash('sha256').update(JSON.stringify(parts)).digest('hex');
  return {
    accountFromAddress: hash('account from address', realm ?? '', account, network),
    account: hash('account', realm ?? '', account),
    address: hash('address', network),
    known: hash('known', realm ?? '', account, network),
  };
}
