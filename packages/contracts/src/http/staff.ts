import { z } from 'zod';
import { memberIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { emailSchema, oneTimeLinkSchema, personNameSchema, staffRecordSchema } from './people.ts';
import { defineRouteContract } from './route-contract.ts';

/** Those who run the installation. The admin key makes the first of them; from then on each has a log-in of their own. */

const params = z.object({ memberId: memberIdSchema });

export const inviteStaff = defineRouteContract({
  method: 'POST',
  path: '/staff',
  summary: 'Invites a person of the platform. The answer carries the one-time token, this once',
  auth: 'admin',
  body: z.object({ email: emailSchema, name: personNameSchema.optional() }),
  reply: { status: 201, schema: z.object({ member: staffRecordSchema, invitation: oneTimeLinkSchema }) },
  errors: ['staff.taken'],
});

export const listStaff = defineRouteContract({
  method: 'GET',
  path: '/staff',
  summary: 'The people of the platform, oldest first',
  auth: 'admin',
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(staffRecordSchema) },
});

export const updateStaff = defineRouteContract({
  method: 'PATCH',
  path: '/staff/:memberId',
  summary: 'Renames, disables or enables a person of the platform; a disabled one\'s sessions end',
  auth: 'admin',
  params,
  body: z.object({ name: personNameSchema.optional(), status: z.enum(['active', 'disabled']).optional() }),
  reply: { status: 200, schema: staffRecordSchema },
  errors: ['staff.not_found', 'member.not_active'],
});

export const createStaffPasswordReset = defineRouteContract({
  method: 'POST',
  path: '/staff/:memberId/password-resets',
  summary: 'A one-time token with which a person of the platform sets a new password',
  auth: 'admin',
  params,
  reply: { status: 201, schema: oneTimeLinkSchema },
  errors: ['staff.not_found', 'member.not_active'],
});
