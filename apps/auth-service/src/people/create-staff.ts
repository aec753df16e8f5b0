import { hubError, newId, type MemberId } from '@switchboard/contracts';
import type { Sessions } from '../sessions/create-sessions.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import { auditedPerson, type Announcer } from './create-announcer.ts';
import type { OneTimeLink, OneTimeLinks } from './create-one-time-links.ts';
import type { Invited } from './create-members.ts';

/** Changes of those who run the installation; in system scope, each in one transaction with its entry in the audit. Throw `staff.not_found` and those named. */
export interface Staff {
  /** Throws `staff.taken`. Of one who has not accepted yet: a new token, the one before is void. */
  invite(invitation: { readonly email: string; readonly name: string | null }): Promise<Invited>;
  /** Throws `member.not_active` for one who has not accepted yet. */
  update(memberId: MemberId, patch: { readonly name?: string | undefined; readonly status?: 'active' | 'disabled' | undefined }): Promise<Person>;
  /** Throws `member.not_active`. */
  createPasswordReset(memberId: MemberId): Promise<OneTimeLink>;
}

type Deps = {
  readonly db: AuthDatabase;
  readonly people: PeopleStore;
  readonly links: OneTimeLinks;
  readonly oneTimeTokens: OneTimeTokenStore;
  readonly sessions: Sessions;
  readonly announcer: Announcer;
  readonly now: () => Date;
};

export function createStaff({ db, people, links, oneTimeTokens, sessions, announcer, now }: Deps): Staff {
  const find = async (memberId: MemberId): Promise<Person> => {
    const person = await people.findForUpdate(memberId);
    if (person === undefined) throw hubError('staff.not_found');
    return person;
  };

  return {
    invite: ({ email, name }) =>
      db.transaction(async () => {
        const fresh: Person = { memberId: newId('mbr'), email, name, role: 'platform', status: 'invited', passwordHash: null, createdAt: now() };
        const isNew = await people.insert(fresh);
        const person = isNew ? fresh : await people.findByEmail(email);
        if (person?.status !== 'invited') throw hubError('staff.taken');
        const link = await links.issue(person, 'invitation');
        await announcer.audit({ action: 'staff.invited', subject: person.memberId, after: auditedPerson(person), facts: { again: !isNew } });
        return { person, link };
      }),

    update: (memberId, { name, status }) =>
      db.transaction(async () => {
        const before = await find(memberId);
        if (status !== undefined && before.status === 'invited') throw hubError('member.not_active');
        const person = await people.update(before, { name: name ?? before.name, status: status ?? before.status }, now());
        if (person.status === 'disabled') {
          await oneTimeTokens.removeAllOf(memberId);
          await sessions.endAllOf(person, 'disabled');
        }
        await announcer.audit({ action: 'staff.changed', subject: memberId, before: auditedPerson(before), after: auditedPerson(person) });
        return person;
      }),

    createPasswordReset: (memberId) =>
      db.transaction(async () => {
        const person = await find(memberId);
        if (person.status !== 'active') throw hubError('member.not_active');
        const link = await links.issue(person, 'password_reset');
        await announcer.audit({ action: 'password.reset_link_made', subject: memberId });
        return link;
      }),
  };
}
