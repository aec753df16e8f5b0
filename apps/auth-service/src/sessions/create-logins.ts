import { hubError, type LoginChallenge, type LoginReply } from '@switchboard/contracts';
import { currentActor } from '@switchboard/tenant-context';
import { runInRealm, type Realm } from '../domain/realm.ts';
import type { GuessLimits } from '../guessing/create-guess-limits.ts';
import type { IsErased } from '../people/create-erased-check.ts';
import type { PasswordHasher } from '../passwords/create-password-hasher.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { Sessions } from './create-sessions.ts';

/** What a right password is not enough for. */
export interface SecondFactor {
  /** Undefined for a person without one. In the person's realm, outside a transaction. */
  challenge(person: Person): Promise<LoginChallenge | undefined>;
}

export interface Logins {
  /** Throws `auth.login_failed` after the same work, whether tenant, account or password is wrong or the member may not; `limit.rate_exceeded`. */
  byPassword(login: { readonly realm: Realm; readonly email: string; readonly password: string }): Promise<LoginReply>;
  /** What a person who has proved who they are gets: a session, or the next question. In the person's realm, outside a transaction. */
  finish(person: Person): Promise<LoginReply>;
  /** Throws `auth.login_failed` unless it is the person's password; counts as a guess. */
  assertPassword(realm: Realm, person: Person, password: string): Promise<void>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly people: PeopleStore;
  readonly isErased: IsErased;
  readonly passwords: PasswordHasher;
  readonly guesses: GuessLimits;
  readonly sessions: Pick<Sessions, 'issue'>;
  readonly secondFactor: SecondFactor;
  readonly now: () => Date;
};

export function createLogins({ db, people, isErased, passwords, guesses, sessions, secondFactor, now }: Deps): Logins {
  /** The person as stored, hashed with today's parameters. */
  const rehash = async (person: Person, password: string): Promise<Person> => {
    const passwordHash = await passwords.hash(password);
    return await db.transaction(async () => {
      const found = await people.findForUpdate(person.memberId);
      return found?.passwordHash === person.passwordHash ? await people.update(found, { passwordHash }, now()) : person;
    });
  };

  const finish: Logins['finish'] = async (person) => {
    const challenge = await secondFactor.challenge(person);
    return challenge === undefined ? await sessions.issue(person) : { challenge };
  };

  return {
    finish,

    async byPassword({ realm, email, password }) {
      const guess = { realm, account: email, from: currentActor().from };
      await guesses.claim(guess);
      return await runInRealm(realm, async () => {
        const person = (await isErased(realm)) ? undefined : await people.findByEmail(email);
        // Also for nobody: an answer that comes sooner would say that there is no such account.
        const { matches, isOutdated } = await passwords.verify(password, person?.passwordHash ?? null);
        if (person?.status !== 'active' || !matches) throw hubError('auth.login_failed');
        await guesses.succeeded(guess);
        return await finish(isOutdated ? await rehash(person, password) : person);
      });
    },

    async assertPassword(realm, person, password) {
      const guess = { realm, account: person.email, from: currentActor().from };
      await guesses.claim(guess);
      const { matches } = await passwords.verify(password, person.passwordHash);
      if (!matches) throw hubError('auth.login_failed', { publicMessage: 'The current password is wrong.' });
      await guesses.succeeded(guess);
    },
  };
}
