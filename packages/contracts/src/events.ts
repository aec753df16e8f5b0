import { z } from 'zod';
import { connectionIdSchema, contactIdSchema, conversationIdSchema, eventIdSchema, issuerIdSchema, leadIdSchema, memberIdSchema, messageIdSchema, providerIds, providerIdSchema, roleSchema, tenantIdSchema, webhookIdSchema } from './ids.ts';
import type { ProviderId } from './ids.ts';
import { memberRoles } from './http/route-contract.ts';
import { authors, deliveryErrorSchema, deliveryStatuses, messageContentSchema } from './message.ts';

/** RFC 3339 in UTC. */
const instant = z.iso.datetime();

/** A contact as a provider names it. `address` is what we reply to and the conversation's key on its connection. */
export const contactRefSchema = z.object({
  address: z.string().min(1),
  name: z.string().optional(),
  /** Other names of the same person at this provider (phone, WhatsApp id, business-scoped user id). */
  aliases: z.record(z.string(), z.string()).default({}),
});
export type ContactRef = z.infer<typeof contactRefSchema>;

const webhookReceived = z.object({
  webhookId: webhookIdSchema,
  connectionId: connectionIdSchema,
  /** The webhook's body, or the part of it that is this connection's, as text. */
  body: z.string(),
  receivedAt: instant,
});

const messageReceived = z.object({
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  role: roleSchema,
  providerMessageId: z.string(),
  /** The provider's own conversation id, where it has one. */
  providerConversationId: z.string().optional(),
  /** Ours, where a bot or desk echoes it: finds the conversation before any address does. */
  conversationId: conversationIdSchema.optional(),
  contact: contactRefSchema,
  author: z.enum(authors),
  content: messageContentSchema,
  /** Provider id of the message this one answers. */
  replyToProviderMessageId: z.string().optional(),
  /** Flat facts about how it came (the advertisement it answers, forwarded, a product it names). */
  attributes: z.record(z.string(), z.string()).optional(),
  /** When the provider says it was written. */
  sentAt: instant,
});

const messageSend = z.object({
  messageId: messageIdSchema,
  conversationId: conversationIdSchema,
  connectionId: connectionIdSchema,
  contact: contactRefSchema,
  author: z.enum(authors),
  content: messageContentSchema,
  /** The message this one answers, named by the provider it goes to. */
  replyToProviderMessageId: z.string().optional(),
  providerConversationId: z.string().optional(),
  /** Flat facts for the other side (channel, handoff reason). */
  attributes: z.record(z.string(), z.string()).default({}),
  sentAt: instant,
});

const messageStatus = z.object({
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  /** Ours, when known; otherwise the provider's id finds the message. */
  messageId: messageIdSchema.optional(),
  providerMessageId: z.string().optional(),
  providerConversationId: z.string().optional(),
  status: z.enum(deliveryStatuses),
  error: deliveryErrorSchema.optional(),
  at: instant,
});

const conversationChanged = z.object({
  conversationId: conversationIdSchema,
  status: z.enum(['open', 'closed']),
  handler: z.enum(['bot', 'desk', 'none']),
  reason: z.string(),
});

const handoffRequested = z.object({ conversationId: conversationIdSchema, from: z.enum(['bot', 'desk', 'none']), to: z.enum(['bot', 'desk', 'none']), reason: z.string() });

export const tenantStatuses = ['active', 'suspended', 'deleted'] as const;

export const plans = ['starter', 'professional', 'enterprise'] as const;
export type Plan = (typeof plans)[number];

/** What a plan allows; null is no limit. */
export const planLimits: Readonly<Record<Plan, { readonly messagesPerMonth: number | null; readonly agents: number | null }>> = {
  starter: { messagesPerMonth: 1_000, agents: 5 },
  professional: { messagesPerMonth: 10_000, agents: 25 },
  enterprise: { messagesPerMonth: null, agents: null },
};

const tenantChanged = z.object({
  status: z.enum(tenantStatuses),
  rateLimit: z.number().int().positive(),
  timeZone: z.string(),
  /** Absent in events of before there were plan limits. */
  plan: z.enum(plans).optional(),
  /** `erase`, with status `deleted`: the grace time is over; whoever keeps rows of the tenant deletes them now. */
  reason: z.string(),
});

const leadCaptured = z.object({
  leadId: leadIdSchema,
  /** `chatbot`, `form`, `voicemail`, `after_hours`, `api` … */
  source: z.string().regex(/^[a-z][a-z0-9_]{0,63}$/),
  conversationId: conversationIdSchema.optional(),
  contact: z.object({ name: z.string().max(512).optional(), phone: z.string().max(64).optional(), email: z.string().max(320).optional() }),
  notes: z.string().max(8192).optional(),
  /** What else the contact said, flat. */
  attributes: z.record(z.string(), z.string()).default({}),
  /** Where the contact is, for who does not know the conversation's id: it is found by them, as soon as it is there. */
  from: z.object({ connectionId: connectionIdSchema, address: z.string().min(1).max(512) }).optional(),
  at: instant,
});

const chatbotChanged = z.object({
  /** Of the configuration; grows with every change of it or of the knowledge base. */
  version: z.number().int().nonnegative(),
});

const botTurnCheck = z.object({
  conversationId: conversationIdSchema,
  connectionId: connectionIdSchema,
  /** The message of the contact that the bot was asked about. */
  messageId: messageIdSchema,
  dueAt: instant,
});

const voicemailCheck = z.object({
  connectionId: connectionIdSchema,
  /** The provider's id of the call. */
  callId: z.string().min(1).max(128),
  dueAt: instant,
});

const tenantErased = z.object({
  service: z.string(),
  /** Rows deleted, by table. */
  rows: z.record(z.string(), z.number().int().nonnegative()),
  at: instant,
});

const memberChanged = z.object({
  memberId: memberIdSchema,
  status: z.enum(['invited', 'active', 'disabled', 'deleted']),
  role: z.enum(memberRoles),
});

const issuerChanged = z.object({ issuerId: issuerIdSchema, isTrusted: z.boolean() });

/** `YYYY-MM` in the tenant's time zone. */
export const monthSchema = z.string().regex(/^\d{4}-(0[1-9]|1[0-2])$/, 'use YYYY-MM');

const usageRecorded = z.object({
  month: monthSchema,
  /** What was added since the last such event of this source. */
  messages: z.array(z.object({ channel: providerIdSchema, direction: z.enum(['inbound', 'outbound']), count: z.number().int().positive() })).default([]),
  mediaBytes: z.number().int().nonnegative().default(0),
  apiCalls: z.number().int().nonnegative().default(0),
  /** Contacts that were active in this month for the first time. */
  contacts: z.array(contactIdSchema).default([]),
});

const planLimitReached = z.object({ month: monthSchema, threshold: z.union([z.literal(80), z.literal(100)]), used: z.number().int().nonnegative(), limit: z.number().int().positive() });

/** Who did something: the platform, a tenant's machine or person, a service, anybody, or the hub by itself. */
export const actorKinds = ['admin', 'key', 'member', 'service', 'public', 'hub'] as const;
export type ActorKind = (typeof actorKinds)[number];

const auditRecorded = z.object({
  at: instant,
  actor: z.object({ kind: z.enum(actorKinds), subject: z.string(), from: z.string().nullable() }),
  action: z.string().regex(/^[a-z_]+(\.[a-z_]+)+$/),
  /** Id of the thing. */
  subject: z.string(),
  before: z.record(z.string(), z.unknown()).optional(),
  after: z.record(z.string(), z.unknown()).optional(),
  /** What else a reader wants to know; never a secret. */
  facts: z.record(z.string(), z.unknown()).default({}),
});

const connectionHealth = z.object({
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  /** What was seen since the last such event of this source. */
  lastWebhookAt: instant.optional(),
  lastSuccessAt: instant.optional(),
  lastError: z.object({ code: z.string(), message: z.string(), at: instant }).optional(),
  tokenExpiresAt: instant.nullable().optional(),
});

const connectionChanged = z.object({
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  role: roleSchema,
  status: z.enum(['active', 'pending', 'disabled', 'deleted']),
  /** Grows with every change; an older one that arrives late is ignored. */
  version: z.number().int().positive(),
});

const routeSchema = z.object({
  channelConnectionId: connectionIdSchema,
  botConnectionId: connectionIdSchema.nullable().default(null),
  deskConnectionId: connectionIdSchema.nullable().default(null),
  startsWith: z.enum(['bot', 'desk', 'none']),
  settings: z
    .object({
      /** Sent instead of a free-form message when the channel's reply window is closed. */
      windowClosedTemplate: z.object({ name: z.string().min(1), language: z.string().min(2), components: z.array(z.record(z.string(), z.unknown())).default([]) }).optional(),
    })
    .default({}),
});
export type Route = z.infer<typeof routeSchema>;
export { routeSchema };

const routesChanged = z.object({ version: z.number().int().positive() });

const apiKeyChanged = z.object({ keyId: z.string(), status: z.enum(['active', 'revoked']) });

/** Days of retention, number of partitions of the topic (a ceiling of parallelism; it can grow, but not shrink). */
type Retention = { readonly retentionDays: number; readonly partitions: number };

type EventDefinition = Retention & {
  readonly schema: z.ZodType;
  readonly version: 1;
  readonly kind: 'event' | 'command';
  /** What the ordering key is made of; documentation, checked by the publishers' tests. */
  readonly orderedBy: string;
  readonly says: string;
};

const hot = { retentionDays: 7, partitions: 12 } as const;
const cold = { retentionDays: 7, partitions: 3 } as const;

type PerProvider<Name extends string, Definition> = { [P in ProviderId as `${Name}.${P}`]: Definition };

function perProvider<Name extends string, Definition extends EventDefinition>(name: Name, definition: Definition): PerProvider<Name, Definition> {
  // The cast is safe: the entries are exactly one for each provider id.
  return Object.fromEntries(providerIds.map((provider) => [`${name}.${provider}`, definition])) as PerProvider<Name, Definition>;
}

/** The catalogue: topic names, schemas, keys, retention and partitions are generated from it. */
export const eventCatalogue = {
  ...perProvider('webhook.received', { ...hot, version: 1, kind: 'event', schema: webhookReceived, orderedBy: 'connection and contact named in the webhook', says: 'A provider\'s webhook was verified and stored; one event a message or status in it.' }),
  'message.received': { ...hot, version: 1, kind: 'event', schema: messageReceived, orderedBy: 'connection and contact address', says: 'A message from a contact, an agent or a bot, in the shared vocabulary.' },
  ...perProvider('message.send', { ...hot, version: 1, kind: 'command', schema: messageSend, orderedBy: 'conversation', says: 'Deliver this message to the provider.' }),
  'message.status': { ...hot, version: 1, kind: 'event', schema: messageStatus, orderedBy: 'connection and contact address, or conversation', says: 'An attempt to deliver, or the provider\'s word on a delivery.' },
  'conversation.changed': { ...cold, version: 1, kind: 'event', schema: conversationChanged, orderedBy: 'conversation', says: 'A conversation was opened, closed or changed its handler.' },
  'handoff.requested': { ...cold, version: 1, kind: 'event', schema: handoffRequested, orderedBy: 'conversation', says: 'The handler of a conversation changes, with its reason.' },
  'lead.captured': { ...cold, version: 1, kind: 'event', schema: leadCaptured, orderedBy: 'lead', says: 'A contact left details: by a bot\'s action, a form, a voicemail, or outside business hours.' },
  'chatbot.changed': { ...cold, version: 1, kind: 'event', schema: chatbotChanged, orderedBy: 'tenant', says: 'The configuration or the knowledge base of a tenant\'s chatbot changed: load it again.' },
  'bot_turn.check': { ...cold, version: 1, kind: 'command', schema: botTurnCheck, orderedBy: 'conversation, apart from its messages', says: 'When it is due, look whether the bot has answered, and speak for it if it has not.' },
  'voicemail.check': { ...cold, version: 1, kind: 'command', schema: voicemailCheck, orderedBy: 'connection, and what is waited for', says: 'When it is due, tell of a call without what has not come: the transcript, the recording, the end.' },
  'tenant.changed': { ...cold, version: 1, kind: 'event', schema: tenantChanged, orderedBy: 'tenant', says: 'A tenant was created, changed, suspended or deleted.' },
  'tenant.erased': { ...cold, version: 1, kind: 'event', schema: tenantErased, orderedBy: 'tenant', says: 'A service has deleted every row of a tenant whose grace time was over.' },
  'member.changed': { ...cold, version: 1, kind: 'event', schema: memberChanged, orderedBy: 'member', says: 'A member was invited, changed, disabled or deleted: forget what you know of their sessions.' },
  'issuer.changed': { ...cold, version: 1, kind: 'event', schema: issuerChanged, orderedBy: 'issuer', says: 'A tenant trusts another issuer of tokens, or one no more: forget whom its tokens speak for.' },
  'usage.recorded': { ...cold, version: 1, kind: 'event', schema: usageRecorded, orderedBy: 'tenant', says: 'What a tenant used since the last such event of the same source.' },
  'plan_limit.reached': { ...cold, version: 1, kind: 'event', schema: planLimitReached, orderedBy: 'tenant', says: 'A tenant has used 80 or 100 % of its plan\'s messages of a month.' },
  'audit.recorded': { ...cold, version: 1, kind: 'event', schema: auditRecorded, orderedBy: 'tenant', says: 'Somebody changed something through the API of another service than tenant-service.' },
  'connection.health': { ...cold, version: 1, kind: 'event', schema: connectionHealth, orderedBy: 'connection', says: 'How a connection does: last webhook, last success, last error.' },
  'connection.changed': { ...cold, version: 1, kind: 'event', schema: connectionChanged, orderedBy: 'connection', says: 'A connection was made, changed, disabled or deleted: drop what you keep of it.' },
  'routes.changed': { ...cold, version: 1, kind: 'event', schema: routesChanged, orderedBy: 'tenant', says: 'The routes of a tenant changed: load them again.' },
  'api_key.changed': { ...cold, version: 1, kind: 'event', schema: apiKeyChanged, orderedBy: 'key', says: 'An API key was made or revoked.' },
} as const satisfies Record<string, EventDefinition>;

export type EventType = keyof typeof eventCatalogue;
export type PayloadOf<T extends EventType> = z.output<(typeof eventCatalogue)[T]['schema']>;
/** What a publisher may leave out is filled with the schema's defaults. */
export type PayloadInputOf<T extends EventType> = z.input<(typeof eventCatalogue)[T]['schema']>;

export type MessageReceived = PayloadOf<'message.received'>;
export type MessageSend = PayloadOf<'message.send.whatsapp'>;
export type MessageStatus = PayloadOf<'message.status'>;
export type WebhookReceived = PayloadOf<'webhook.received.whatsapp'>;

/** Topic of an event type: `<type>.v<version>`. */
export function topicOf(type: EventType): string {
  return `${type}.v${eventCatalogue[type].version}`;
}

export const envelopeSchema = z.object({
  eventId: eventIdSchema,
  type: z.enum(Object.keys(eventCatalogue) as [EventType, ...EventType[]]),
  version: z.literal(1),
  tenantId: tenantIdSchema,
  occurredAt: instant,
  /** W3C trace context. */
  traceparent: z.string().optional(),
  /** The event that caused this one. */
  causedBy: eventIdSchema.optional(),
  orderingKey: z.string().min(1).max(512),
  payload: z.unknown(),
});
export type AnyEnvelope = z.output<typeof envelopeSchema>;
export type Envelope<T extends EventType = EventType> = Omit<AnyEnvelope, 'type' | 'payload'> & { readonly type: T; readonly payload: PayloadOf<T> };

/** Parses an envelope and its payload. Throws a ZodError: the runner makes a dead letter of it. */
export function parseEnvelope(value: unknown): Envelope {
  const envelope = envelopeSchema.parse(value);
  // The cast is safe: the payload was parsed with the schema of the envelope's own type.
  return { ...envelope, payload: eventCatalogue[envelope.type].schema.parse(envelope.payload) } as Envelope;
}
