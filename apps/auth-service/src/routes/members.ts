import { createPasswordReset, deleteMember, getMember, hubError, inviteMember, listMembers, renewInvitation, updateMember } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../dependencies.ts';
import { memberRecord } from './person-records.ts';

/** The people of the tenant in the path; see the contracts for who may what. */
export function memberRoutes({ members, people, tenants }: Dependencies): Route[] {
  return [
    defineRoute(inviteMember, async ({ principal, params, body: { name = null, ...invitation } }) => {
      const { person, link } = await members.invite(principal, await tenants.planOf(params.tenantId), { ...invitation, name });
      return { member: memberRecord(person), invitation: link };
    }),
    defineRoute(listMembers, async ({ query: { limit, cursor, ...filter } }) => {
      const { data, nextCursor } = pageOfRows(await people.list(limit + 1, readCursor(cursor), filter), limit, ({ memberId }) => memberId);
      return { data: data.map(memberRecord), nextCursor };
    }),
    defineRoute(getMember, async ({ params }) => {
      const person = await people.find(params.memberId);
      if (person === undefined) throw hubError('member.not_found');
      return memberRecord(person);
    }),
    defineRoute(updateMember, async ({ principal, params, body }) => memberRecord(await members.update(principal, await tenants.planOf(params.tenantId), params.memberId, body))),
    defineRoute(deleteMember, ({ principal, params }) => members.remove(principal, params.memberId)),
    defineRoute(renewInvitation, async ({ principal, params }) => {
      const { person, link } = await members.renewInvitation(principal, params.memberId);
      return { member: memberRecord(person), invitation: link };
    }),
    defineRoute(createPasswordReset, ({ principal, params }) => members.createPasswordReset(principal, params.memberId)),
  ];
}
