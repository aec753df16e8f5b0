import { z } from 'zod';
import { bookingIdSchema, connectionIdSchema, contactIdSchema, conversationIdSchema, syncJobIdSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';
import { timeZoneSchema } from './time-zone.ts';

/** A tenant's chatbot: how its bot behaves, and what it knows. By the tenant itself and by the platform, at one and the same path. */

/** Entries of a knowledge base. */
export const knowledgeEntriesMax = 1_000;
/** Characters of an answer: a page of 20 KB fits, also where a letter takes more than one byte. */
export const answerLengthMax = 32_768;
/** Bytes of a knowledge base in UTF-8: what fits through the gateway with its config, however it is escaped within reason. */
export const knowledgeBaseBytesMax = 1_500_000;
/** Bytes of a body here; the gateway's own limit is not larger. */
const chatbotBodyMaxBytes = 2 * 1024 * 1024;
/** Versions of a chatbot that are kept; the oldest goes when another comes. */
export const chatbotVersionsMax = 50;

/** Lines may break in these texts; nothing else that cannot be seen. */
const text = (lengthMax: number) => z.string().trim().min(1).max(lengthMax).refine((value) => !/[^\P{Cc}\n\r\t]/u.test(value) && value.isWellFormed(), 'use no control characters but line breaks and tabs, and no half of a surrogate pair');
/** Ids at other systems, which show some of them as numbers. */
const foreignId = z.union([text(128), z.number().int().nonnegative().transform(String)]);

export const weekDays = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export type WeekDay = (typeof weekDays)[number];

const dayPattern = /^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$/;
const dayRangeSchema = z.string().trim().toLowerCase().regex(dayPattern, 'use a day (mon, tue, wed, thu, fri, sat, sun) or a range of them ("mon-fri")');
const fromSchema = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'use HH:MM from 00:00 to 23:59');
const toSchema = z.string().regex(/^(([01]\d|2[0-3]):[0-5]\d|24:00)$/, 'use HH:MM from 00:00 to 24:00');
const intervalShape = { from: fromSchema, /** Up to and without this minute; earlier than `from`: on the next day. */ to: toSchema };
const isInterval = ({ from, to }: { readonly from: string; readonly to: string }) => from !== to;
const notInterval = { path: ['to'], message: 'must differ from "from"; use 00:00 to 24:00 for a whole day' };
const intervalSchema = z.object(intervalShape).refine(isInterval, notInterval);
const hoursSchema = z.object({ day: dayRangeSchema, ...intervalShape }).refine(isInterval, notInterval);

const exceptionSchema = z.union([
  z.object({ /** `YYYY-MM-DD`, in the time zone of the hours. */ date: z.iso.date(), closed: z.literal(true) }),
  z.object({ date: z.iso.date(), hours: z.array(intervalSchema).min(1).max(24) }),
]);

const businessHoursSchema = z.object({
  timezone: timeZoneSchema,
  /** Several for one day are one after the other or overlap; a day that none names is closed. */
  hours: z.array(hoursSchema).max(100),
  /** In place of the hours that begin on that date. */
  exceptions: z.array(exceptionSchema).max(400).optional(),
  /** What a contact reads who wants a person while nobody is there. */
  closedMessage: text(2_000).optional(),
});
export type BusinessHours = z.output<typeof businessHoursSchema>;

export const chatbotActions = ['lead_capture', 'booking', 'handoff'] as const;
export type ChatbotAction = (typeof chatbotActions)[number];

const escalationRulesSchema = z.object({
  /** Whom the desk is to assign: an agent's id there. */
  agentId: foreignId.optional(),
  /** A contact who writes one of them is handed to the desk. Compared word by word, without regard to case and accents. */
  keywords: z.array(text(100)).max(100).default([]),
  /** What the desk is to label the conversation with. */
  labels: z.array(text(100)).max(20).optional(),
});
export type EscalationRules = z.output<typeof escalationRulesSchema>;

const chatbotConfigSchema = z.object({
  botName: text(100),
  systemPrompt: text(16_384).optional(),
  /** Sent once, at the beginning of a conversation. */
  welcomeMessage: text(4_000).optional(),
  /** BCP 47: `de`, `pt-BR`. */
  language: z.string().regex(/^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$/, 'use a language tag, for example "de" or "pt-BR"').default('en'),
  /** Always open when absent. */
  businessHours: businessHoursSchema.optional(),
  /** What a contact reads when the bot does not answer. */
  fallbackMessage: text(4_000).optional(),
  enableHumanHandoff: z.boolean().default(true),
  /** What the bot may do besides talking; anything else it asks for is refused. */
  allowedActions: z.array(z.enum(chatbotActions)).max(chatbotActions.length).refine((names) => new Set(names).size === names.length, 'name each action once').default([]),
  escalationRules: escalationRulesSchema.optional(),
  /** Which of the tenant's bots: id of the bot at Botpress. */
  botpressBotId: foreignId.optional(),
  /** Which of the tenant's inboxes at Chatwoot. */
  chatwootInboxId: foreignId.optional(),
});
export type ChatbotConfig = z.output<typeof chatbotConfigSchema>;

const knowledgeEntrySchema = z.object({
  question: text(2_000),
  answer: text(answerLengthMax),
  /** Words under which it is found besides those of its question. */
  tags: z.array(text(64)).max(20).default([]),
});
export type KnowledgeEntry = z.output<typeof knowledgeEntrySchema>;

const knowledgeBaseSchema = z
  .array(knowledgeEntrySchema)
  .max(knowledgeEntriesMax)
  .refine((entries) => bytesOfKnowledge(entries) <= knowledgeBaseBytesMax, `use at most ${knowledgeBaseBytesMax} bytes in all`);

/** Bytes of questions, answers and tags in UTF-8. */
export function bytesOfKnowledge(entries: readonly KnowledgeEntry[]): number {
  let bytes = 0;
  for (const { question, answer, tags } of entries) bytes += bytesOf(question) + bytesOf(answer) + tags.reduce((sum, tag) => sum + bytesOf(tag), 0);
  return bytes;
}

function bytesOf(value: string): number {
  let bytes = value.length;
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    // Each half of a pair counts two: four bytes together.
    if (code > 0x7f) bytes += code > 0x7ff && (code < 0xd800 || code > 0xdfff) ? 2 : 1;
  }
  return bytes;
}

const instant = z.iso.datetime();

const chatbotSchema = z.object({
  tenantId: tenantIdSchema,
  /** Grows with every change of the config or of the knowledge base. */
  version: z.number().int().positive(),
  config: chatbotConfigSchema,
  knowledgeBase: z.array(knowledgeEntrySchema),
  updatedAt: instant,
});
export type ChatbotRecord = z.output<typeof chatbotSchema>;

export const syncStates = ['queued', 'running', 'succeeded', 'skipped', 'failed'] as const;
export type SyncState = (typeof syncStates)[number];

const syncJobSchema = z.object({
  jobId: syncJobIdSchema,
  tenantId: tenantIdSchema,
  /** `skipped`: there is nowhere to push the knowledge to, `reason` says why; it goes with each turn of a conversation. */
  state: z.enum(syncStates),
  /** Which version of the chatbot is pushed; null while the job waits for its turn. */
  version: z.number().int().positive().nullable(),
  progress: z.object({ done: z.number().int().nonnegative(), total: z.number().int().nonnegative() }),
  /** Tries that were begun. */
  attempts: z.number().int().nonnegative(),
  /** Why the last try failed; kept while another is due. */
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  reason: z.string().nullable(),
  /** When it is tried next, where it is. */
  nextAttemptAt: instant.nullable(),
  createdAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
});
export type SyncJob = z.output<typeof syncJobSchema>;

const bookingSchema = z.object({
  bookingId: bookingIdSchema,
  status: z.enum(['requested', 'confirmed', 'cancelled']),
  /** When it begins and ends; null where the contact named no time. */
  startsAt: instant.nullable(),
  endsAt: instant.nullable(),
  conversationId: conversationIdSchema.nullable(),
  contactId: contactIdSchema.nullable(),
  connectionId: connectionIdSchema.nullable(),
  contact: z.object({ name: z.string().optional(), phone: z.string().optional(), email: z.string().optional() }),
  notes: z.string().nullable(),
  createdAt: instant,
});
export type BookingRecord = z.output<typeof bookingSchema>;

const path = '/api/chatbot/tenants';
const tenantParams = z.object({ tenantId: tenantIdSchema });
const forReading = { scopes: ['tenant:read'], at: 'same-path' } as const;
const forWriting = { scopes: ['tenant:write'], at: 'same-path' } as const;
const change = z.object({ config: chatbotConfigSchema, /** The present one stays when absent. */ knowledgeBase: knowledgeBaseSchema.optional() });

export const createChatbot = defineRouteContract({
  method: 'POST',
  path,
  summary: "Sets up a tenant's chatbot",
  auth: 'admin',
  self: forWriting,
  body: z.object({
    /** The platform says whose; a tenant's own may be left out. */
    tenantId: tenantIdSchema.optional(),
    config: chatbotConfigSchema,
    knowledgeBase: knowledgeBaseSchema.optional(),
  }),
  reply: { status: 201, schema: chatbotSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.taken'],
  bodyMaxBytes: chatbotBodyMaxBytes,
});

export const getChatbot = defineRouteContract({
  method: 'GET',
  path: `${path}/:tenantId/config`,
  summary: "A tenant's chatbot: its config and its knowledge base",
  auth: 'admin',
  self: forReading,
  params: tenantParams,
  reply: { status: 200, schema: chatbotSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found'],
});

const replacement = {
  path: `${path}/:tenantId/config`,
  summary: "Replaces a chatbot's config, and its knowledge base where one is given; sets the chatbot up where there is none",
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  body: change,
  reply: { status: 200, schema: chatbotSchema },
  errors: ['tenant.not_found', 'tenant.deleted'],
  bodyMaxBytes: chatbotBodyMaxBytes,
} as const;

export const postChatbot = defineRouteContract({ method: 'POST', ...replacement });

export const putChatbot = defineRouteContract({ method: 'PUT', ...replacement });

export const replaceKnowledgeBase = defineRouteContract({
  method: 'POST',
  path: `${path}/:tenantId/knowledge-base`,
  summary: 'Replaces all entries of the knowledge base',
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  body: z.object({ knowledgeBase: knowledgeBaseSchema }),
  reply: { status: 200, schema: chatbotSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found'],
  bodyMaxBytes: chatbotBodyMaxBytes,
});

export const startChatbotSync = defineRouteContract({
  method: 'POST',
  path: `${path}/:tenantId/config/sync`,
  summary: 'Pushes config and knowledge base to the bot, in the background; answers the job that is waiting already where one is',
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  reply: { status: 202, schema: syncJobSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found'],
});

export const getChatbotSync = defineRouteContract({
  method: 'GET',
  path: `${path}/:tenantId/config/sync`,
  summary: 'The job that pushes config and knowledge base: the current one, or the last',
  auth: 'admin',
  self: forReading,
  params: tenantParams,
  reply: { status: 200, schema: syncJobSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found', 'chatbot.sync_not_found'],
});

const versionSchema = z.object({ version: z.number().int().positive(), entries: z.number().int().nonnegative(), /** Whether it is the one in use. */ isCurrent: z.boolean(), changedBy: z.string(), createdAt: instant });

export const listChatbotVersions = defineRouteContract({
  method: 'GET',
  path: `${path}/:tenantId/config/versions`,
  summary: `Versions of a chatbot, the newest first; the last ${chatbotVersionsMax} are kept`,
  auth: 'admin',
  self: forReading,
  params: tenantParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(versionSchema) },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found'],
});

export const restoreChatbotVersion = defineRouteContract({
  method: 'POST',
  path: `${path}/:tenantId/config/versions/:version/restore`,
  summary: 'Makes a kept version the newest one: its config and its knowledge base',
  auth: 'admin',
  self: forWriting,
  params: tenantParams.extend({ version: z.coerce.number().int().min(1).max(2_147_483_647) }),
  reply: { status: 200, schema: chatbotSchema },
  errors: ['tenant.not_found', 'tenant.deleted', 'chatbot.not_found', 'chatbot.version_not_found'],
});

export const listBookings = defineRouteContract({
  method: 'GET',
  path: `${path}/:tenantId/bookings`,
  summary: 'What contacts have booked with the bot, the newest first',
  auth: 'admin',
  self: forReading,
  params: tenantParams,
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(bookingSchema) },
  errors: ['tenant.not_found', 'tenant.deleted'],
});
