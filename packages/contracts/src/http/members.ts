import { z } from 'zod';
import { memberIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { emailSchema, memberRecordSchema, memberStatuses, oneTimeLinkSchema, personNameSchema } from './people.ts';
import { defineRouteContract, memberRoles } from './route-contract.ts';

/** The people of a tenant. Owners are made, changed and removed by owners and by the platform alone; one active owner stays. */

const tenantParams = z.object({ tenantId: tenantIdSchema });
const memberParams = z.object({ tenantId: tenantIdSchema, memberId: memberIdSchema });
const write = { scopes: ['members:write'] } as const;
const read = { scopes: ['members:read'] } as const;

const invitedSchema = z.object({ member: memberRecordSchema, invitation: oneTimeLinkSchema });

export const inviteMember = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/members',
  summary: 'Invites a person. The answer carries the one-time token, this once: the hub sends no mail',
  auth: 'admin',
  self: write,
  params: tenantParams,
  body: z.object({ email: emailSchema, role: z.enum(memberRoles), name: personNameSchema.optional() }),
  reply: { status: 201, schema: invitedSchema },
  errors: ['tenant.not_found', 'member.taken', 'member.owners_only', 'limit.agents_exceeded', 'service.unavailable'],
});

export const listMembers = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/members',
  summary: 'The people of a tenant, oldest first',
  auth: 'admin',
  self: read,
  params: tenantParams,
  query: pageQuerySchema.extend({ status: z.enum(memberStatuses).optional(), role: z.enum(memberRoles).optional() }),
  reply: { status: 200, schema: pageOf(memberRecordSchema) },
});

export const getMember = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/members/:memberId',
  summary: 'One person of a tenant',
  auth: 'admin',
  self: read,
  params: memberParams,
  reply: { status: 200, schema: memberRecordSchema },
  errors: ['member.not_found'],
});

export const updateMember = defineRouteContract({
  method: 'PATCH',
  path: '/tenants/:tenantId/members/:memberId',
  summary: 'Renames a member, changes the role, disables or enables. A disabled member\'s sessions end; a changed role holds at once',
  auth: 'admin',
  self: write,
  params: memberParams,
  body: z.object({ name: personNameSchema.optional(), role: z.enum(memberRoles).optional(), status: z.enum(['active', 'disabled']).optional() }),
  reply: { status: 200, schema: memberRecordSchema },
  errors: ['member.not_found', 'member.not_active', 'member.last_owner', 'member.owners_only', 'limit.agents_exceeded', 'service.unavailable'],
});

export const deleteMember = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/members/:memberId',
  summary: 'Removes a member with their sessions',
  auth: 'admin',
  self: write,
  params: memberParams,
  reply: { status: 204, schema: z.void() },
  errors: ['member.not_found', 'member.last_owner', 'member.owners_only'],
});

export const renewInvitation = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/members/:memberId/invitations',
  summary: 'A new one-time token for a person who has not accepted yet; the one before is void',
  auth: 'admin',
  self: write,
  params: memberParams,
  reply: { status: 201, schema: invitedSchema },
  errors: ['member.not_found', 'member.not_invited', 'member.owners_only'],
});

export const createPasswordReset = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/members/:memberId/password-resets',
  summary: 'A one-time token with which an active member sets a new password; the one before is void. Whoever asked hands it to the member: the hub sends no mail',
  auth: 'admin',
  self: write,
  params: memberParams,
  reply: { status: 201, schema: oneTimeLinkSchema },
  errors: ['member.not_found', 'member.not_active', 'member.owners_only'],
});
