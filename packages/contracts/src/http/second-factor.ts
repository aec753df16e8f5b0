import { z } from 'zod';
import { memberIdSchema, tenantIdSchema } from '../ids.ts';
import { passwordSchema, secretTokenSchema } from './people.ts';
import { defineRouteContract, personRoles } from './route-contract.ts';
import { openSessionSchema } from './sessions.ts';

/** A second factor beside the password: six digits that change every 30 seconds (RFC 6238), and recovery codes for who has lost the device. */

const codeSchema = z.string().trim().regex(/^\d{6}$/, 'is not six digits');
const recoveryCodeSchema = z.string().trim().min(1).max(40);
const recoveryCodesSchema = z.object({ /** Each opens the account once. Shown this once. */ recoveryCodes: z.array(z.string()) });
const common = { auth: 'member', roles: personRoles } as const;

export const getSecondFactor = defineRouteContract({
  ...common,
  method: 'GET',
  path: '/auth/second-factor',
  summary: 'Whether whoever is logged in has a second factor; `pending` until its first code',
  reply: { status: 200, schema: z.object({ status: z.enum(['none', 'pending', 'active']), recoveryCodesLeft: z.number().int() }) },
  errors: ['member.not_found'],
});

export const enrolSecondFactor = defineRouteContract({
  ...common,
  method: 'POST',
  path: '/auth/second-factor',
  summary: 'Begins a second factor: the secret for an authenticator, this once. It counts from its first code on',
  body: z.object({ /** Of whoever has one; those who log in by single sign-on alone have none. */ password: passwordSchema.optional() }),
  reply: { status: 201, schema: z.object({ /** Base 32. */ secret: z.string(), otpauthUri: z.string() }) },
  errors: ['member.not_found', 'second_factor.active', 'auth.login_failed', 'limit.rate_exceeded', 'service.unavailable'],
});

export const confirmSecondFactor = defineRouteContract({
  ...common,
  method: 'POST',
  path: '/auth/second-factor/confirm',
  summary: 'Takes the second factor into use by its first code; the answer carries the recovery codes, this once',
  body: z.object({ code: codeSchema }),
  reply: { status: 200, schema: recoveryCodesSchema },
  errors: ['member.not_found', 'second_factor.not_found', 'second_factor.active', 'auth.factor_failed', 'limit.rate_exceeded'],
});

export const renewRecoveryCodes = defineRouteContract({
  ...common,
  method: 'POST',
  path: '/auth/second-factor/recovery-codes',
  summary: 'Ten new recovery codes; those before are void',
  body: z.object({ code: codeSchema }),
  reply: { status: 200, schema: recoveryCodesSchema },
  errors: ['member.not_found', 'second_factor.not_found', 'auth.factor_failed', 'limit.rate_exceeded'],
});

export const disableSecondFactor = defineRouteContract({
  ...common,
  method: 'POST',
  path: '/auth/second-factor/disable',
  summary: 'Ends the own second factor, by password and a code',
  body: z.object({ password: passwordSchema.optional(), code: codeSchema.optional(), recoveryCode: recoveryCodeSchema.optional() }),
  reply: { status: 204, schema: z.void() },
  errors: ['member.not_found', 'second_factor.not_found', 'auth.factor_failed', 'auth.login_failed', 'limit.rate_exceeded', 'service.unavailable'],
});

export const loginWithSecondFactor = defineRouteContract({
  method: 'POST',
  path: '/auth/login/second-factor',
  summary: 'Answers the challenge of a log-in with a code of the authenticator, or with a recovery code; each is good once',
  auth: 'public',
  body: z.object({ challengeToken: secretTokenSchema, code: codeSchema.optional(), recoveryCode: recoveryCodeSchema.optional() }),
  reply: { status: 200, schema: openSessionSchema },
  errors: ['auth.link_invalid', 'auth.factor_failed', 'auth.login_failed', 'limit.rate_exceeded'],
});

export const resetMemberSecondFactor = defineRouteContract({
  method: 'DELETE',
  path: '/tenants/:tenantId/members/:memberId/second-factor',
  summary: 'Takes the second factor of a member who has lost it; that of an owner is taken by owners alone',
  auth: 'admin',
  self: { scopes: ['members:write'] },
  params: z.object({ tenantId: tenantIdSchema, memberId: memberIdSchema }),
  reply: { status: 204, schema: z.void() },
  errors: ['member.not_found', 'second_factor.not_found', 'member.owners_only'],
});

export const resetStaffSecondFactor = defineRouteContract({
  method: 'DELETE',
  path: '/staff/:memberId/second-factor',
  summary: 'Takes the second factor of a person of the platform who has lost it',
  auth: 'admin',
  params: z.object({ memberId: memberIdSchema }),
  reply: { status: 204, schema: z.void() },
  errors: ['staff.not_found', 'second_factor.not_found'],
});
