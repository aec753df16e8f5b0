import { z } from 'zod';
import { accountMoveIdSchema, connectionIdSchema, tenantIdSchema } from '../ids.ts';
import { defineRouteContract } from './route-contract.ts';

/**
 * A tenant moves from an inbox in an account that it shares with others to an account of its own: everything is copied while the traffic runs, then
 * the routes change over, then what came late is copied too, and when both sides agree the old inbox goes.
 */

const tenantParams = z.object({ tenantId: tenantIdSchema });
const forReading = { scopes: ['tenant:read'] } as const;
const forWriting = { scopes: ['tenant:write'] } as const;
const instant = z.iso.datetime();
const count = z.number().int().nonnegative();

/**
 * - `copying`: everything that is there; `catching_up`: what was written meanwhile
 * - `switching`: routes and conversations go over to the new connection
 * - `draining`: what still arrives at the old inbox reaches the contact and is copied, until nothing new comes
 * - `reconciling`: both sides are counted; `waiting`: they differ, see the report (`resume` counts again, `retire` ends the move all the same)
 * - `retiring`: the old inbox goes
 * - `rolling_back`: routes and conversations go back, and with them what was written in the new inbox
 */
export const movePhases = ['copying', 'catching_up', 'switching', 'draining', 'reconciling', 'waiting', 'retiring', 'rolling_back', 'done', 'rolled_back'] as const;
export type MovePhase = (typeof movePhases)[number];

/** Out of `total` as far as it is known: what the old inbox holds is learnt by reading it. */
const progressSchema = z.object({ done: count, total: count });

const moveReportSchema = z.object({
  at: instant,
  agrees: z.boolean(),
  /** In the old inbox, and how many of them are in the new one. Notices that Chatwoot itself writes ("conversation was resolved") are not copied, and not counted. */
  conversations: z.object({ source: count, target: count }),
  messages: z.object({ source: count, target: count, /** In the old inbox, not in the new one. */ missing: count, /** More than once in the new one. */ doubled: count, /** In another order than in the old one. */ misplaced: count }),
  attachments: z.object({ source: count, target: count }),
  /** Conversations that differ, by their number in the old inbox: the first hundred. */
  differing: z.array(z.object({ conversation: z.string(), source: count, target: count, missing: count, doubled: count, misplaced: count, attachmentsMissing: count })),
});
export type MoveReport = z.infer<typeof moveReportSchema>;

const moveSchema = z.object({
  moveId: accountMoveIdSchema,
  fromConnectionId: connectionIdSchema,
  toConnectionId: connectionIdSchema,
  /** `running` goes on by itself, also after a failure of the moment; `paused` and `failed` go on with `resume`. */
  state: z.enum(['running', 'paused', 'failed', 'ended']),
  phase: z.enum(movePhases),
  counts: z.object({ contacts: progressSchema, conversations: progressSchema, messages: progressSchema, attachments: progressSchema }),
  /** The last thing that went wrong; null after success. */
  error: z.object({ code: z.string(), message: z.string(), at: instant }).nullable(),
  /** Of the last time both sides were counted. */
  report: moveReportSchema.nullable(),
  /** When the routes went over. */
  switchedAt: instant.nullable(),
  startedAt: instant,
  endedAt: instant.nullable(),
});
export type AccountMoveRecord = z.infer<typeof moveSchema>;

const path = '/tenants/:tenantId/chatwoot/migrate';

export const startChatwootMove = defineRouteContract({
  method: 'POST',
  path,
  summary: "Moves the tenant's Chatwoot inbox from a shared account to its own: contacts, conversations, messages, notes, labels and files, with the traffic running",
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  body: z.object({
    /** The connection in the shared account; the only one of the same role when left out. */
    fromConnectionId: connectionIdSchema.optional(),
    /** The connection in the tenant's own account, which must be active, of the same role, with an inbox of type API. */
    toConnectionId: connectionIdSchema,
  }),
  reply: { status: 202, schema: moveSchema },
  errors: ['tenant.not_found', 'connection.not_found', 'connection.not_active', 'move.running', 'move.impossible'],
});

export const getChatwootMove = defineRouteContract({
  method: 'GET',
  path,
  summary: 'How far the move is, or how the last one ended',
  auth: 'admin',
  self: forReading,
  params: tenantParams,
  reply: { status: 200, schema: moveSchema },
  errors: ['tenant.not_found', 'move.not_found'],
});

const command = {
  method: 'POST',
  auth: 'admin',
  self: forWriting,
  params: tenantParams,
  reply: { status: 202, schema: moveSchema },
  errors: ['tenant.not_found', 'move.not_found', 'move.wrong_phase'],
} as const;

export const pauseChatwootMove = defineRouteContract({
  ...command,
  path: `${path}/pause`,
  summary: 'Stops copying where it is. Messages of the contacts are delivered meanwhile as before',
});

export const resumeChatwootMove = defineRouteContract({
  ...command,
  path: `${path}/resume`,
  summary: 'Goes on with a move that is paused or failed, and counts again where both sides differed',
});

export const rollBackChatwootMove = defineRouteContract({
  ...command,
  path: `${path}/rollback`,
  summary: 'Gives the move up until the old inbox is retired: routes go back, and with them what was written in the new inbox. What was copied into the new account stays there',
});

export const retireChatwootMove = defineRouteContract({
  ...command,
  path: `${path}/retire`,
  summary: 'Ends a move whose sides differ: the old inbox goes, with what the report says is missing in the new one',
});
