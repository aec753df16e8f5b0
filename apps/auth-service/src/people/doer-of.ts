import { hubError, scopesOfRole, type MemberRole } from '@switchboard/contracts';
import type { Principal } from '@switchboard/service-kit';
import type { Doer } from '../domain/decide-member-change.ts';
import type { PeopleStore } from '../store/people.ts';

/**
 * Who changes people: a member by the role that they have now, whatever the gateway remembers of them. Inside the transaction that holds the
 * people's lock, so that one who was just demoted acts as what they are.
 */
export async function doerOf(principal: Principal, people: PeopleStore): Promise<Doer> {
  if (principal.kind === 'admin') return 'platform';
  if (principal.kind !== 'tenant') throw hubError('auth.missing');
  if (principal.via === 'key') return scopesOfRole('admin').every((scope) => principal.scopes.includes(scope)) ? 'fullKey' : 'key';
  if (principal.via !== 'member' || principal.role === undefined) throw hubError('auth.scope_missing');
  // Those who come by another issuer's token are no members of ours: their issuer says what they are.
  if (!principal.subject.startsWith('mbr_')) return principal.role;
  const doer = await people.find(principal.subject);
  if (doer?.status !== 'active') throw hubError('auth.missing');
  return doer.role as MemberRole; // in a tenant's scope only members are found
}
