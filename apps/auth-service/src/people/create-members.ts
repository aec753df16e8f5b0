import { hubError, newId, planLimits, type MemberId, type MemberRole, type Plan } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import { refusalOf, takesAgentPlace, type MemberChange, type Standing } from '../domain/decide-member-change.ts';
import type { Sessions } from '../sessions/create-sessions.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import { auditedPerson, type Announcer } from './create-announcer.ts';
import type { OneTimeLink, OneTimeLinks } from './create-one-time-links.ts';
import { doerOf } from './doer-of.ts';

export type Invitation = { readonly email: string; readonly role: MemberRole; readonly name: string | null };
export type Invited = { readonly person: Person; readonly link: OneTimeLink };
export type MemberPatch = { readonly name?: string | undefined; readonly role?: MemberRole | undefined; readonly status?: 'active' | 'disabled' | undefined };

/** Changes of the current tenant's people, each in one transaction with its events. Throw the codes of `refusalOf`, `member.not_found` and those named. */
export interface Members {
  /** Throws `member.taken`, `limit.agents_exceeded`. */
  invite(by: Principal, plan: Plan, invitation: Invitation): Promise<Invited>;
  /** Throws `limit.agents_exceeded`. */
  update(by: Principal, plan: Plan, memberId: MemberId, patch: MemberPatch): Promise<Person>;
  remove(by: Principal, memberId: MemberId): Promise<void>;
  /** Throws `member.not_invited`. */
  renewInvitation(by: Principal, memberId: MemberId): Promise<Invited>;
  /** Throws `member.not_active`. */
  createPasswordReset(by: Principal, memberId: MemberId): Promise<OneTimeLink>;
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

export function createMembers({ db, people, links, oneTimeTokens, sessions, announcer, now }: Deps): Members {
  /** One change of people at a time in a tenant: who is the last owner and how many agents there are does not move meanwhile. */
  const inLock = <T>(fn: () => Promise<T>): Promise<T> =>
    db.transaction(async () => {
      await people.lock();
      return await fn();
    });

  const find = async (memberId: MemberId): Promise<Person> => {
    const person = await people.findForUpdate(memberId);
    if (person === undefined) throw hubError('member.not_found');
    return person;
  };

  const assertAllowed = async (by: Principal, change: MemberChange): Promise<void> => {
    const refusal = refusalOf(await doerOf(by, people), change, await people.countActiveOwners());
    if (refusal !== undefined) throw hubError(refusal);
  };

  const assertPlace = async (change: MemberChange, plan: Plan): Promise<void> => {
    const { agents } = planLimits[plan];
    if (agents === null || !takesAgentPlace(change) || (await people.countAgents()) < agents) return;
    throw hubError('limit.agents_exceeded', { publicMessage: `The plan ${plan} has ${agents} agents. Disable or remove one, or ask the platform for a larger plan.` });
  };

  return {
    invite: (by, plan, { email, role, name }) =>
      inLock(async () => {
        const after: Standing = { role, status: 'invited' };
        await assertAllowed(by, { before: undefined, after });
        await assertPlace({ before: undefined, after }, plan);
        const person: Person = { memberId: newId('mbr'), email, name, role, status: 'invited', passwordHash: null, createdAt: now() };
        if (!(await people.insert(person))) throw hubError('member.taken');
        const link = await links.issue(person, 'invitation');
        await announcer.audit({ action: 'member.invited', subject: person.memberId, after: auditedPerson(person) });
        await announcer.changed(person, 'invited');
        return { person, link };
      }),

    update: (by, plan, memberId, patch) =>
      inLock(async () => {
        const before = await find(memberId);
        const changed = { ...before, name: patch.name ?? before.name, role: patch.role ?? before.role, status: patch.status ?? before.status };
        const change = { before: standingOf(before), after: standingOf(changed) };
        await assertAllowed(by, change);
        await assertPlace(change, plan);
        const person = await people.update(before, changed, now());
        await announcer.audit({ action: 'member.changed', subject: memberId, before: auditedPerson(before), after: auditedPerson(person) });
        if (person.status === 'disabled') {
          await oneTimeTokens.removeAllOf(memberId);
          await sessions.endAllOf(person, 'disabled');
        } else {
          await announcer.changed(person, person.status);
        }
        return person;
      }),

    remove: (by, memberId) =>
      inLock(async () => {
        const person = await find(memberId);
        await assertAllowed(by, { before: standingOf(person), after: undefined });
        await people.remove(memberId);
        await announcer.audit({ action: 'member.removed', subject: memberId, before: auditedPerson(person) });
        await announcer.changed(person, 'deleted');
      }),

    renewInvitation: (by, memberId) =>
      inLock(async () => {
        const person = await find(memberId);
        await assertAllowed(by, { before: standingOf(person), after: standingOf(person) });
        if (person.status !== 'invited') throw hubError('member.not_invited');
        const link = await links.issue(person, 'invitation');
        await announcer.audit({ action: 'member.invited', subject: memberId, after: auditedPerson(person), facts: { again: true } });
        return { person, link };
      }),

    createPasswordReset: (by, memberId) =>
      inLock(async () => {
        const person = await find(memberId);
        await assertAllowed(by, { before: standingOf(person), after: standingOf(person) });
        if (person.status !== 'active') throw hubError('member.not_active');
        const link = await links.issue(person, 'password_reset');
        await announcer.audit({ action: 'password.reset_link_made', subject: memberId });
        return link;
      }),
  };
}

/** In a tenant's scope only members are found. */
function standingOf({ role, status }: Person): Standing {
  return { role: role as MemberRole, status };
}
