import { createStaffPasswordReset, inviteStaff, listStaff, updateStaff } from '@switchboard/contracts';
import { defineRoute, pageOfRows, readCursor, type Route } from '@switchboard/service-kit';
import type { Dependencies } from '../dependencies.ts';
import { staffRecord } from './person-records.ts';

export function staffRoutes({ staff, people }: Dependencies): Route[] {
  return [
    defineRoute(inviteStaff, async ({ body: { email, name = null } }) => {
      const { person, link } = await staff.invite({ email, name });
      return { member: staffRecord(person), invitation: link };
    }),
    defineRoute(listStaff, async ({ query: { limit, cursor } }) => {
      const { data, nextCursor } = pageOfRows(await people.list(limit + 1, readCursor(cursor)), limit, ({ memberId }) => memberId);
      return { data: data.map(staffRecord), nextCursor };
    }),
    defineRoute(updateStaff, async ({ params, body }) => staffRecord(await staff.update(params.memberId, body))),
    defineRoute(createStaffPasswordReset, ({ params }) => staff.createPasswordReset(params.memberId)),
  ];
}
