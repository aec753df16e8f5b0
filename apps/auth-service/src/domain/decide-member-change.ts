import type { MemberRole, MemberStatus } from '@switchboard/contracts';

/** Who changes people of a tenant: a member by their role now, a key, or the platform. `fullKey` may all that an admin may. */
export type Doer = MemberRole | 'platform' | 'key' | 'fullKey';

export type Standing = { readonly role: MemberRole; readonly status: MemberStatus };

/** `undefined` is somebody who is not there yet, or will not be there any more. */
export type MemberChange = { readonly before: Standing | undefined; readonly after: Standing | undefined };

export type MemberRefusal = 'auth.scope_missing' | 'member.owners_only' | 'member.last_owner' | 'member.not_active';

/** Undefined when it may be. `activeOwners` are counted with the one it is about. */
export function refusalOf(doer: Doer, { before, after }: MemberChange, activeOwners: number): MemberRefusal | undefined {
  const touches = (role: MemberRole) => before?.role === role || after?.role === role;
  if (doer === 'agent') return 'auth.scope_missing';
  if (touches('owner') && doer !== 'owner' && doer !== 'platform') return 'member.owners_only';
  // A key that could make admins without being as mighty would make itself one.
  if (touches('admin') && doer === 'key') return 'auth.scope_missing';
  // Only accepting an invitation makes an invited one active.
  if (before !== undefined && after !== undefined && before.status !== after.status && (before.status === 'invited' || after.status === 'invited')) return 'member.not_active';
  if (isActiveOwner(before) && !isActiveOwner(after) && activeOwners <= 1) return 'member.last_owner';
  return undefined;
}

/** Whether the change takes a place of the plan's agents that it had not before. */
export function takesAgentPlace({ before, after }: MemberChange): boolean {
  return hasAgentPlace(after) && !hasAgentPlace(before);
}

function isActiveOwner(standing: Standing | undefined): boolean {
  return standing?.role === 'owner' && standing.status === 'active';
}

function hasAgentPlace(standing: Standing | undefined): boolean {
  return standing?.role === 'agent' && standing.status !== 'disabled';
}
