import { emailSchema, newId, personNameSchema, planLimits, type MemberRole, type Plan } from '@switchboard/contracts';
import { currentActor, runWithActor } from '@switchboard/tenant-context';
import { takesAgentPlace } from '../domain/decide-member-change.ts';
import { isRoleUpTo } from '../domain/role-order.ts';
import { auditedPerson, type Announcer } from '../people/create-announcer.ts';
import type { AuthDatabase } from '../store/client.ts';
import type { OneTimeTokenStore } from '../store/one-time-tokens.ts';
import type { PeopleStore, Person } from '../store/people.ts';
import type { SsoSettings } from '../store/sso.ts';
import type { Identity } from './open-provider.ts';

export type Refusal = 'email_not_verified' | 'domain_not_allowed' | 'not_a_member' | 'disabled' | 'above_max_role' | 'no_place_in_plan';
export type Admission = { readonly kind: 'admitted'; readonly person: Person } | { readonly kind: 'refused'; readonly reason: Refusal };

type Deps = { readonly db: AuthDatabase; readonly people: PeopleStore; readonly oneTimeTokens: OneTimeTokenStore; readonly announcer: Announcer; readonly now: () => Date };

/**
 * Which member of the current tenant somebody is whom its provider vouches for. Who was invited has accepted by coming; who is no member becomes
 * one where the settings say so and the plan has a place.
 */
export function createAdmission({ db, people, oneTimeTokens, announcer, now }: Deps): (settings: SsoSettings, identity: Identity, plan: Plan) => Promise<Admission> {
  const asThemselves = <T>({ memberId }: Person, fn: () => Promise<T>): Promise<T> => runWithActor({ kind: 'member', subject: memberId, from: currentActor().from }, fn);

  const accept = (person: Person): Promise<Person> =>
    asThemselves(person, async () => {
      const accepted = await people.update(person, { status: 'active' }, now());
      await oneTimeTokens.removeAllOf(person.memberId);
      await announcer.audit({ action: 'member.accepted', subject: person.memberId, facts: { by: 'single sign-on' } });
      await announcer.changed(accepted, 'active');
      return accepted;
    });

  const create = async (email: string, name: string | null, role: MemberRole, plan: Plan): Promise<Admission> => {
    const { agents } = planLimits[plan];
    const isPlaceTaken = takesAgentPlace({ before: undefined, after: { role, status: 'active' } });
    if (isPlaceTaken && agents !== null && (await people.countAgents()) >= agents) return refused('no_place_in_plan');
    const person: Person = { memberId: newId('mbr'), email, name, role, status: 'active', passwordHash: null, createdAt: now() };
    await people.insert(person);
    await asThemselves(person, async () => {
      await announcer.audit({ action: 'member.created', subject: person.memberId, after: auditedPerson(person), facts: { by: 'single sign-on' } });
      await announcer.changed(person, 'active');
    });
    return { kind: 'admitted', person };
  };

  return async (settings, identity, plan) => {
    const email = emailSchema.safeParse(identity.email);
    if (!email.success || !identity.isEmailVerified) return refused('email_not_verified');
    if (!settings.allowedDomains.includes(email.data.slice(email.data.lastIndexOf('@') + 1))) return refused('domain_not_allowed');
    const name = personNameSchema.safeParse(identity.name);
    return await db.transaction(async () => {
      await people.lock();
      const named = await people.findByEmail(email.data);
      const person = named && (await people.findForUpdate(named.memberId));
      if (person === undefined) return settings.createMembers ? await create(email.data, name.success ? name.data : null, settings.defaultRole, plan) : refused('not_a_member');
      if (person.status === 'disabled') return refused('disabled');
      // In a tenant's scope only members are found.
      if (!isRoleUpTo(person.role as MemberRole, settings.maxRole)) return refused('above_max_role');
      return { kind: 'admitted', person: person.status === 'invited' ? await accept(person) : person };
    });
  };
}

function refused(reason: Refusal): Admission {
  return { kind: 'refused', reason };
}
