import { z } from 'zod';

/** Prefix of every id the hub makes; the prefix says what the id names. */
export const idPrefixes = {
  connection: 'con',
  contact: 'ctc',
  conversation: 'cnv',
  message: 'msg',
  event: 'evt',
  webhook: 'whk',
  request: 'req',
  apiKey: 'key',
  deadLetter: 'dlq',
  media: 'med',
  auditEntry: 'aud',
  draft: 'drf',
  webhookSecret: 'whs',
  member: 'mbr',
  session: 'ses',
  invitation: 'inv',
  issuer: 'iss',
  ssoLogin: 'sso',
  lead: 'led',
  booking: 'bkg',
  platformConnection: 'pcn',
  syncJob: 'job',
  accountMove: 'mov',
} as const;

type Prefix = (typeof idPrefixes)[keyof typeof idPrefixes];
type Id<P extends Prefix> = `${P}_${string}`;

export type ConnectionId = Id<'con'>;
export type ContactId = Id<'ctc'>;
export type ConversationId = Id<'cnv'>;
export type MessageId = Id<'msg'>;
export type EventId = Id<'evt'>;
export type WebhookId = Id<'whk'>;
export type RequestId = Id<'req'>;
export type ApiKeyId = Id<'key'>;
export type DeadLetterId = Id<'dlq'>;
export type MemberId = Id<'mbr'>;
export type IssuerId = Id<'iss'>;
export type LeadId = Id<'led'>;
export type BookingId = Id<'bkg'>;
export type PlatformConnectionId = Id<'pcn'>;
export type SyncJobId = Id<'job'>;
export type AccountMoveId = Id<'mov'>;
export type TenantId = string & { readonly tenantId: unique symbol };

const base32 = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * A new id: prefix, underscore, 26 characters of Crockford base 32: 48 bits of milliseconds, then 80 random bits. Ids sort by the time
 * they were made, so that they append to an index instead of scattering over it.
 */
export function newId<P extends Prefix>(prefix: P): Id<P> {
  const now = Date.now();
  if (now !== headTime) {
    headTime = now;
    head = '';
    for (let time = now, i = 0; i < 10; i++, time = Math.floor(time / 32)) head = base32[time % 32] + head;
  }
  if (drawn === randomBytes.length) {
    crypto.getRandomValues(randomBytes);
    drawn = 0;
  }
  let tail = '';
  for (const end = drawn + 16; drawn < end; drawn++) tail += base32[(randomBytes[drawn] ?? 0) & 31];
  return `${prefix}_${head}${tail}`;
}

/** Random bytes for many ids at once: asking for them costs more than the rest of an id. No byte is used twice. */
const randomBytes = new Uint8Array(16 * 256);
let drawn = randomBytes.length;
/** The time part of the ids of this millisecond. */
let headTime = -1;
let head = '';

function idSchema<P extends Prefix>(prefix: P): z.ZodType<Id<P>, string> {
  // The cast is safe: the pattern accepts only strings of that form.
  return z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{10,40}$`)) as unknown as z.ZodType<Id<P>, string>;
}

export const connectionIdSchema = idSchema('con');
export const contactIdSchema = idSchema('ctc');
export const conversationIdSchema = idSchema('cnv');
export const messageIdSchema = idSchema('msg');
export const eventIdSchema = idSchema('evt');
export const webhookIdSchema = idSchema('whk');
export const deadLetterIdSchema = idSchema('dlq');
export const apiKeyIdSchema = idSchema('key');
export const memberIdSchema = idSchema('mbr');
export const issuerIdSchema = idSchema('iss');
export const leadIdSchema = idSchema('led');
export const bookingIdSchema = idSchema('bkg');
export const platformConnectionIdSchema = idSchema('pcn');
export const syncJobIdSchema = idSchema('job');
export const accountMoveIdSchema = idSchema('mov');

/** Tenant ids are chosen by the platform: 2–63 of `a-z 0-9 - _`, starting with a letter or digit. They stand in URLs, keys and metric labels. */
export const tenantIdPattern = /^[a-z0-9][a-z0-9_-]{1,62}$/;
export const tenantIdSchema = z
  .string()
  .regex(tenantIdPattern, 'use 2 to 63 of a-z, 0-9, "-" and "_", starting with a letter or digit')
  .transform((value) => value as TenantId);

/** A DNS label: 1–63 of `a-z 0-9 -`, neither starting nor ending with a hyphen (RFC 1035 §2.3.1, digits first allowed by RFC 1123). */
export const subdomainPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

export const providerIds = ['whatsapp', 'twilio', 'chatwoot', 'botpress', 'genesys'] as const;
export type ProviderId = (typeof providerIds)[number];
export const providerIdSchema = z.enum(providerIds);

export const roles = ['channel', 'bot', 'desk'] as const;
export type Role = (typeof roles)[number];
export const roleSchema = z.enum(roles);
