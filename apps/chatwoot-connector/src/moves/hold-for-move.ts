import { hubError, isHubError, type ConnectionId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { SendEvent, SendPlan } from '@switchboard/connector-kit';
import { randomUUID } from 'node:crypto';
import type { AccountMove } from '../store/moves.ts';
import { copyConversation, type SidesOfCopy } from './copy-conversation.ts';
import { backward, forward, noteConversations, type MoveDeps, type MoveWork } from './move-work.ts';

export type HoldDeps = {
  readonly deps: MoveDeps;
  readonly withSides: <T>(move: AccountMove, work: (sides: Pick<MoveWork, 'from' | 'to'>) => Promise<T>) => Promise<T>;
  /** How long "there is no move" is kept in memory, in milliseconds: less than a move waits before it switches. */
  readonly keepMs: number;
};

export interface HoldForMove {
  /**
   * Before a message goes to a connection that a move leads to: what came before it in the old inbox is copied first, so that the new one shows both in
   * order. The bus hands over the messages of a conversation one by one, so whatever went to the old inbox has arrived there. Throws
   * `provider.throttled` while that is not done; after some minutes the message goes without: what is copied later stands after it then.
   */
  beforeSend(event: SendEvent, connectionId: ConnectionId): Promise<SendPlan>;
}

/** Tenants remembered before the oldest are forgotten: some tens of bytes each. */
const tenantsKept = 10_000;
/** Milliseconds that a contact's words wait for the order of the copies: an account that cannot be reached must not keep them from the agents. */
const holdMsMax = 5 * 60_000;
const held = 'The conversation is being moved to another account just now.';
/** Milliseconds until a conversation that is being copied is asked for again. */
const busyRetryMs = 300;
export function createHoldForMove({ deps, withSides, keepMs }: HoldDeps): HoldForMove {
  const noneSince = new Map<string, number>();

  async function openMove(): Promise<AccountMove | undefined> {
    const tenantId = currentTenant();
    const now = deps.now().getTime();
    if (now - (noneSince.get(tenantId) ?? -Infinity) < keepMs) return undefined;
    const move = await deps.moves.findOpen();
    noneSince.delete(tenantId);
    if (move === undefined) {
      noneSince.set(tenantId, now);
      if (noneSince.size > tenantsKept) noneSince.delete(noneSince.keys().next().value ?? '');
    }
    return move;
  }

  return {
    async beforeSend({ payload: command, occurredAt }, connectionId) {
      const move = await openMove();
      const direction = move === undefined ? undefined : directionTo(move, connectionId);
      if (move !== undefined && direction !== undefined) {
        try {
          await withSides(move, (sides) => copyBefore(command.contact.address, direction(sides), deps));
        } catch (error) {
          if (!isHubError(error)) throw error;
          // Whatever is wrong with the copying, no message is given up for it.
          if (deps.now().getTime() - Date.parse(occurredAt) < holdMsMax) throw hubError('provider.throttled', { publicMessage: held, retry: { afterMs: busyRetryMs, counted: false }, detail: { sent: false, by: 'own pace' }, cause: error });
        }
      }
      return { kind: 'send', command };
    },
  };
}

/** Which way the move copies into this connection while messages go there; undefined where they do not wait. */
function directionTo(move: AccountMove, connectionId: ConnectionId): ((sides: Pick<MoveWork, 'from' | 'to'>) => SidesOfCopy) | undefined {
  if (move.switchedAt === undefined) return undefined;
  // On the way back too: some are on their way to the new inbox then, and others before them to the old one.
  if (connectionId === move.toConnectionId) return forward;
  return connectionId === move.fromConnectionId && move.phase === 'rolling_back' ? backward : undefined;
}

async function copyBefore(address: string, sides: SidesOfCopy, deps: MoveDeps): Promise<void> {
  await noteConversations(await sides.source.findByAddress(address), sides, deps);
  for (const { sourceConversationId } of await deps.conversations.listByAddress(sides.pair, address)) {
    const copied = await copyConversation({ sourceConversationId }, sides, randomUUID(), neverAborted, deps);
    // Somebody else is at it.
    if (copied === undefined) throw hubError('provider.throttled', { publicMessage: held });
  }
}

const neverAborted = new AbortController().signal;
