import { z } from 'zod';
import { connectionIdSchema, providerIdSchema, tenantIdSchema, webhookIdSchema } from '../ids.ts';
import { givenInstantSchema } from './given-instant.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { defineRouteContract } from './route-contract.ts';

/** What the platform asks webhook-ingest, and a tenant about its own webhooks. The webhooks themselves come in by raw routes that follow from the provider registry. */

const webhookRecordSchema = z.object({
  webhookId: webhookIdSchema,
  connectionId: connectionIdSchema,
  provider: providerIdSchema,
  /** The provider's own id of the event, or a hash of the content: what a repetition is known by. */
  eventKey: z.string(),
  receivedAt: z.iso.datetime(),
  /** The part of the webhook that is this connection's, as text. */
  body: z.string(),
});
export type WebhookRecord = z.infer<typeof webhookRecordSchema>;

const tenantParams = z.object({ tenantId: tenantIdSchema });

export const listWebhooks = defineRouteContract({
  method: 'GET',
  path: '/tenants/:tenantId/webhooks',
  summary: 'Webhooks of the tenant, newest first',
  auth: 'admin',
  self: { scopes: ['tenant:read'] },
  params: tenantParams,
  query: pageQuerySchema.extend({
    connectionId: connectionIdSchema.optional(),
    /** Received at this time or later. */
    from: givenInstantSchema.optional(),
    /** Received before this time. */
    to: givenInstantSchema.optional(),
  }),
  reply: { status: 200, schema: pageOf(webhookRecordSchema) },
});

/** Most webhooks that one call hands on again. */
export const replayedMax = 10_000;

export const replayWebhooks = defineRouteContract({
  method: 'POST',
  path: '/tenants/:tenantId/webhooks/replay',
  summary: 'Hands stored webhooks to their connector again, in the order they came in; what they say is not stored twice',
  auth: 'admin',
  self: { scopes: ['tenant:write'] },
  params: tenantParams,
  body: z.union([
    z.object({ webhookIds: z.array(webhookIdSchema).min(1).max(1_000) }),
    z.object({ connectionId: connectionIdSchema, from: givenInstantSchema, to: givenInstantSchema }),
  ]),
  reply: {
    status: 202,
    schema: z.object({
      replayed: z.number().int().nonnegative(),
      /** Where a range held more than one call hands on: the `from` of the next call. */
      nextFrom: z.iso.datetime().nullable(),
    }),
  },
  errors: ['webhook.not_found'],
});

export const listQuarantine = defineRouteContract({
  method: 'GET',
  path: '/quarantine',
  summary: 'Webhooks that were signed with a known secret and belong to no connected account, or could not be read; newest first',
  auth: 'admin',
  query: pageQuerySchema,
  reply: {
    status: 200,
    schema: pageOf(
      z.object({
        quarantineId: z.string(),
        provider: providerIdSchema,
        reason: z.string(),
        /** Of the URL it came to; null for the URL of many accounts. */
        connectionId: connectionIdSchema.nullable(),
        /** Accounts it names, `name:value`. */
        accounts: z.array(z.string()),
        receivedAt: z.iso.datetime(),
        /** The first 64 KiB, as text. */
        body: z.string(),
      }),
    ),
  },
});

export const listUnknownAccounts = defineRouteContract({
  method: 'GET',
  path: '/unknown-accounts',
  summary: 'Accounts that webhooks named and nobody has connected (answered 404), those heard of last first; whoever sends may name what they like',
  auth: 'admin',
  query: pageQuerySchema.extend({ provider: providerIdSchema.optional() }),
  reply: {
    status: 200,
    schema: pageOf(
      z.object({
        provider: providerIdSchema,
        /** `name:value`: the account that limits are counted by (a subaccount of Twilio), else the most specific one that was named. */
        account: z.string(),
        /** Webhooks that named it, as far as they were counted: a process writes down at most some every second. */
        count: z.number().int().positive(),
        firstAt: z.iso.datetime(),
        lastAt: z.iso.datetime(),
      }),
    ),
  },
});
