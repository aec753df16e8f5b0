import { z } from 'zod';
import { memberIdSchema, tenantIdSchema } from '../ids.ts';
import { isPlainText, notPlain } from './plain-text.ts';
import { memberRoles } from './route-contract.ts';

/** What contracts about people have in common. */

/** Addresses are compared in lower case: nobody has two of which only the capitals differ. */
export const emailSchema = z.string().trim().toLowerCase().max(254).pipe(z.email('is not an e-mail address'));

/** Characters of a password; NIST SP 800-63B-4 asks for 15 where it is the only factor, and for at least 8. */
const passwordLength = { min: 12, max: 200 } as const;
/** One that is chosen. */
export const newPasswordSchema = z.string().min(passwordLength.min, `use at least ${passwordLength.min} characters`).max(passwordLength.max);
/** One that is only checked: what is too short for today may have been chosen before. */
export const passwordSchema = z.string().min(1).max(passwordLength.max);

export const personNameSchema = z.string().trim().min(1).max(200).refine(isPlainText, notPlain);

/** `invited`: has not set a password yet. */
export const memberStatuses = ['invited', 'active', 'disabled'] as const;
export type MemberStatus = (typeof memberStatuses)[number];

/** Text that was shown once: a token that ends in a secret. Longer ones are none of ours. */
export const secretTokenSchema = z.string().min(1).max(300);

/** What opens an account once. There is no mailer: whoever is answered with it hands it to the person. */
export const oneTimeLinkSchema = z.object({
  /** Shown this once. */
  token: z.string(),
  expiresAt: z.iso.datetime(),
});

const person = { memberId: memberIdSchema, email: z.string(), name: z.string().nullable(), status: z.enum(memberStatuses), createdAt: z.iso.datetime() };

/** A person of a tenant. */
export const memberRecordSchema = z.object({ ...person, role: z.enum(memberRoles) });
export type MemberRecord = z.infer<typeof memberRecordSchema>;

/** A person of the platform; of no tenant. */
export const staffRecordSchema = z.object({ ...person, role: z.literal('platform') });
export type StaffRecord = z.infer<typeof staffRecordSchema>;

/** Whoever is logged in. */
export const meSchema = z.object({ ...person, role: z.enum([...memberRoles, 'platform']), tenantId: tenantIdSchema.nullable(), scopes: z.array(z.string()) });
