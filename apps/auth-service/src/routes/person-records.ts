import { hubError, type MemberRecord, type MemberRole, type StaffRecord } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import type { PeopleStore, Person } from '../store/people.ts';

/** A person as the API shows them: without anything that opens their account. */
export function memberRecord({ memberId, email, name, role, status, createdAt }: Person): MemberRecord {
  // In a tenant's scope only members are found.
  return { memberId, email, name, role: role as MemberRole, status, createdAt: createdAt.toISOString() };
}

export function staffRecord({ memberId, email, name, status, createdAt }: Person): StaffRecord {
  return { memberId, email, name, role: 'platform', status, createdAt: createdAt.toISOString() };
}

/** Whoever is logged in, in their own realm. Throws `member.not_found` for a caller who is no person of ours: another issuer's, or the admin key. */
export async function personOf(principal: Principal, people: Pick<PeopleStore, 'find'>): Promise<Person> {
  const person = principal.kind === 'tenant' || principal.kind === 'admin' ? await people.find(principal.subject) : undefined;
  if (person === undefined) throw hubError('member.not_found');
  return person;
}
