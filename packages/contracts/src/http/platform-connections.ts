import { z } from 'zod';
import { connectionIdSchema, platformConnectionIdSchema, providerIdSchema, roleSchema, tenantIdSchema } from '../ids.ts';
import { pageOf, pageQuerySchema } from './paging.ts';
import { isPlainText, notPlain } from './plain-text.ts';
import { defineRouteContract } from './route-contract.ts';

/** Accounts of the platform itself at providers: tenants have inboxes there (Chatwoot), are served by its bot (Botpress), or get subaccounts in it (Twilio). */

const params = z.object({ platformConnectionId: platformConnectionIdSchema });
const instant = z.iso.datetime();
const nameSchema = z.string().trim().min(1).max(200).refine(isPlainText, notPlain);
const inboxesMaxSchema = z.number().int().min(0).max(1_000_000).nullable();

const platformConnectionSchema = z.object({
  id: platformConnectionIdSchema,
  /** Name of the credentials form. */
  type: z.string(),
  provider: providerIdSchema,
  name: z.string(),
  /** Whether tenants are still put there. */
  isOpen: z.boolean(),
  /** How many connections of tenants have a place there at most; null: no bound. */
  inboxesMax: z.number().int().nonnegative().nullable(),
  /** Connections of tenants that have a place there. */
  inboxes: z.number().int().nonnegative(),
  /** Tenants that have one or more of them. */
  tenants: z.number().int().nonnegative(),
  /** Accounts that the hub made in it for them: Twilio's subaccounts; Twilio itself allows 1000 of them unless asked for more. */
  subaccounts: z.number().int().nonnegative(),
  routingIdentifiers: z.record(z.string(), z.string()),
  settings: z.record(z.string(), z.string()),
  /** Where the provider sends the webhooks of the account; without the secret that may follow it there. */
  webhookUrl: z.string(),
  /** What the provider said when it was asked last; `reason` when it does not work. */
  lastCheck: z.object({ at: instant, ok: z.boolean(), reason: z.string().nullable() }),
  createdAt: instant,
  updatedAt: instant,
});
export type PlatformConnectionRecord = z.infer<typeof platformConnectionSchema>;

export const createPlatformConnection = defineRouteContract({
  method: 'POST',
  path: '/platform/connections',
  summary: 'Connects an account of the platform, in which tenants get inboxes or subaccounts, or whose bot serves them; it is checked with the provider first, and its webhook set up once',
  auth: 'admin',
  body: z.object({
    /** Name of the credentials form: `chatwoot`, `botpress`, `twilio`. */
    type: z.string().min(1).max(64),
    name: nameSchema,
    /** The form as for an account of a tenant's own (mode dedicated), without inbox. */
    credentials: z.record(z.string(), z.unknown()),
    isOpen: z.boolean().default(true),
    inboxesMax: inboxesMaxSchema.default(null),
  }),
  reply: { status: 201, schema: platformConnectionSchema },
  errors: ['connection.type_unknown', 'connection.identifier_taken', 'platform_connection.not_verified', 'egress.refused'],
});

export const listPlatformConnections = defineRouteContract({
  method: 'GET',
  path: '/platform/connections',
  summary: 'Accounts of the platform, oldest first, with how many inboxes and tenants each has',
  auth: 'admin',
  query: pageQuerySchema,
  reply: { status: 200, schema: pageOf(platformConnectionSchema) },
});

export const getPlatformConnection = defineRouteContract({
  method: 'GET',
  path: '/platform/connections/:platformConnectionId',
  summary: 'One account of the platform',
  auth: 'admin',
  params,
  reply: { status: 200, schema: platformConnectionSchema },
  errors: ['platform_connection.not_found'],
});

export const updatePlatformConnection = defineRouteContract({
  method: 'PATCH',
  path: '/platform/connections/:platformConnectionId',
  summary: 'Renames an account of the platform, opens or closes it for more tenants, or gives it new credentials; a webhook secret that is replaced stays valid for a while',
  auth: 'admin',
  params,
  body: z.object({
    name: nameSchema.optional(),
    isOpen: z.boolean().optional(),
    inboxesMax: inboxesMaxSchema.optional(),
    /** Fields of the credentials form that change; the others stay. Those that name the account cannot change. */
    credentials: z.record(z.string(), z.unknown()).optional(),
  }),
  reply: { status: 200, schema: platformConnectionSchema },
  errors: ['platform_connection.not_found', 'platform_connection.not_verified', 'egress.refused'],
});

export const deletePlatformConnection = defineRouteContract({
  method: 'DELETE',
  path: '/platform/connections/:platformConnectionId',
  summary: 'Removes an account of the platform that no tenant uses, with what the hub set up there',
  auth: 'admin',
  params,
  reply: {
    status: 200,
    schema: z.object({
      id: platformConnectionIdSchema,
      /** What became of the hub's webhook and bot there; `failed`: remove them by hand. */
      atProvider: z.object({ outcome: z.enum(['removed', 'nothing_to_remove', 'failed']), reason: z.string().optional() }),
    }),
  },
  errors: ['platform_connection.not_found', 'platform_connection.in_use'],
});

export const listPlatformInboxes = defineRouteContract({
  method: 'GET',
  path: '/platform/connections/:platformConnectionId/inboxes',
  summary: 'Which connection of which tenant has which inbox in an account of the platform',
  auth: 'admin',
  params,
  query: pageQuerySchema,
  reply: {
    status: 200,
    schema: pageOf(
      z.object({
        tenantId: tenantIdSchema,
        connectionId: connectionIdSchema,
        role: roleSchema,
        status: z.enum(['active', 'pending', 'disabled']),
        /** Null as long as it has not been made, and where there is no such thing. */
        inboxId: z.string().nullable(),
      }),
    ),
  },
  errors: ['platform_connection.not_found'],
});
