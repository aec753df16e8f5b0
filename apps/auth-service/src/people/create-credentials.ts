import { hubError, type OpenSession } from '@switchboard/contracts';
import { currentActor, runWithActor, type Actor } from '@switchboard/tenant-context';
import { currentRealm, runInRealm, type Realm } from '../domain/realm.ts';
import type { GuessLimits } from '../guessing/create-guess-limits.ts';
import type { PasswordHasher } from '../passwords/create-password-hasher.ts';
import type { Logins } from '../sessions/create-logins.ts';
import type { Sessions } from '../sessions/create-sessions.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { Announcer } from './create-announcer.ts';
import type { IsErased } from './create-erased-check.ts';
import type { OneTimeLinks } from './create-one-time-links.ts';

/** How people come by a password. */
export interface Credentials {
  /** Throws `auth.link_invalid`. */
  acceptInvitation(token: string, chosen: { readonly name: string; readonly password: string }): Promise<OpenSession>;
  /** By a link: every session ends, and failures to guess the old one are forgotten. Throws `auth.link_invalid`. */
  reset(token: string, newPassword: string): Promise<void>;
  /** By whoever knows the present one: every session ends but that of `keptToken`. In the person's realm. Throws `auth.login_failed`. */
  change(person: Person, change: { readonly currentPassword: string; readonly newPassword: string; readonly keptToken?: string | undefined }): Promise<void>;
  /** Notes in the audit that somebody says to have forgotten a password. As if nothing had happened when there is no such account. */
  noteForgotten(realm: Realm, email: string): Promise<void>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly people: PeopleStore;
  readonly isErased: IsErased;
  readonly links: OneTimeLinks;
  readonly oneTimeTokens: OneTimeTokenStore;
  readonly passwords: PasswordHasher;
  readonly guesses: GuessLimits;
  readonly sessions: Sessions;
  readonly logins: Logins;
  readonly announcer: Announcer;
  readonly now: () => Date;
};

export function createCredentials({ db, people, isErased, links, oneTimeTokens, passwords, guesses, sessions, logins, announcer, now }: Deps): Credentials {
  /** Whoever has the secret of a link or a session is the person it was made for. */
  const asPerson = <T>({ memberId, role }: Person, fn: () => Promise<T>): Promise<T> => {
    const actor: Actor = { kind: role === 'platform' ? 'admin' : 'member', subject: memberId, from: currentActor().from };
    return runWithActor(actor, fn);
  };

  return {
    async acceptInvitation(token, { name, password }) {
      // Hashing costs much, and is done for those alone who were invited.
      await links.assertValid(token, 'invitation');
      const passwordHash = await passwords.hash(password);
      const { person, realm } = await links.redeem(token, 'invitation', (invited) =>
        asPerson(invited, async () => {
          if (invited.status !== 'invited') throw hubError('auth.link_invalid');
          const accepted = await people.update(invited, { name, passwordHash, status: 'active' }, now());
          await announcer.audit({ action: accepted.role === 'platform' ? 'staff.accepted' : 'member.accepted', subject: accepted.memberId });
          await announcer.changed(accepted, 'active');
          return { person: accepted, realm: currentRealm() };
        }),
      );
      return await runInRealm(realm, () => sessions.issue(person));
    },

    async reset(token, newPassword) {
      await links.assertValid(token, 'password_reset');
      const passwordHash = await passwords.hash(newPassword);
      const { realm, account } = await links.redeem(token, 'password_reset', (person) =>
        asPerson(person, async () => {
          if (person.status !== 'active') throw hubError('auth.link_invalid');
          const changed = await people.update(person, { passwordHash }, now());
          // A log-in that waits for its second factor began with the old password.
          await oneTimeTokens.removeAllOf(person.memberId);
          await sessions.endAllOf(changed, 'password_changed');
          await announcer.audit({ action: 'password.reset', subject: person.memberId });
          return { realm: currentRealm(), account: person.email };
        }),
      );
      await guesses.succeeded({ realm, account, from: currentActor().from });
    },

    async change(person, { currentPassword, newPassword, keptToken }) {
      await logins.assertPassword(currentRealm(), person, currentPassword);
      const passwordHash = await passwords.hash(newPassword);
      await db.transaction(async () => {
        const found = await people.findForUpdate(person.memberId);
        // Changed twice at once: one of the two knew only the password before.
        if (found?.passwordHash !== person.passwordHash) throw hubError('auth.login_failed');
        const changed = await people.update(found, { passwordHash }, now());
        await oneTimeTokens.removeAllOf(person.memberId);
        await sessions.endAllOf(changed, 'password_changed', keptToken);
        await announcer.audit({ action: 'password.changed', subject: person.memberId });
      });
    },

    async noteForgotten(realm, email) {
      if (await isErased(realm)) return;
      await runInRealm(realm, () =>
        db.transaction(async () => {
          const person = await people.findByEmail(email);
          if (person?.status === 'active') await announcer.audit({ action: 'password.reset_requested', subject: person.memberId });
        }),
      );
    },
  };
}
