import type { MemberRole } from '@switchboard/contracts';

/** From the least to the most. */
const order = ['agent', 'admin', 'owner'] as const satisfies readonly MemberRole[];

export function lesserRole(one: MemberRole, other: MemberRole): MemberRole {
  return order.indexOf(one) <= order.indexOf(other) ? one : other;
}

export function isRoleUpTo(role: MemberRole, max: MemberRole): boolean {
  return lesserRole(role, max) === role;
}
