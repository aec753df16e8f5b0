import type { ConnectionWithSecrets } from '@switchboard/contracts';
import type { CallRoute } from '@switchboard/service-kit';
import type { Pair } from '../store/moved-conversations.ts';
import type { AccountMove, MoveStore } from '../store/moves.ts';
import { copyConversation, type ConversationCopyDeps, type SidesOfCopy } from './copy-conversation.ts';
import type { PhaseLimits } from './domain/decide-next-phase.ts';
import type { Side, SideConversation } from './side.ts';

/** What everything that works for a move needs. */
export type MoveDeps = ConversationCopyDeps & {
  readonly moves: MoveStore;
  readonly callRoute: CallRoute;
  /** Connections of the current tenant with their secrets. */
  readonly loadConnection: (connectionId: AccountMove['toConnectionId']) => Promise<ConnectionWithSecrets>;
  readonly openSide: (connection: ConnectionWithSecrets) => Side;
  readonly limits: PhaseLimits;
  /** Conversations that are copied at once. */
  readonly conversationsAtOnce: number;
  /** Between two looks of draining, and before the switch: whoever keeps "there is no move" in memory has looked again. */
  readonly pauseMs: number;
};

/** One process's work on one move. */
export type MoveWork = {
  readonly move: AccountMove;
  readonly from: Side;
  readonly to: Side;
  readonly owner: string;
  readonly signal: AbortSignal;
};

/** Seconds by which the look back reaches further than the last one, for clocks and answers that are late. */
const sweepMarginSeconds = 5;
/** Milliseconds until a conversation that somebody else copies just now is asked for again. */
const busyRetryMs = 200;
const busyRetriesMax = 25;

export function forward({ from, to }: Pick<MoveWork, 'from' | 'to'>): SidesOfCopy {
  return { pair: pairOf(from, to), source: from, target: to };
}

export function backward({ from, to }: Pick<MoveWork, 'from' | 'to'>): SidesOfCopy {
  return { pair: pairOf(to, from), source: to, target: from };
}

function pairOf(source: Side, target: Side): Pair {
  return { sourceConnectionId: source.connectionId, targetConnectionId: target.connectionId };
}

/** Copies what changed at the source since then. Gives back how many messages were written; a conversation that somebody else copies counts as one. */
export async function sweep(sides: SidesOfCopy, since: Date, mirrors: boolean, work: MoveWork, deps: MoveDeps): Promise<number> {
  const seconds = Math.ceil((deps.now().getTime() - since.getTime()) / 1000) + sweepMarginSeconds;
  const changed = await sides.source.listChanged(seconds);
  await noteConversations(changed, sides, deps);
  return copyAll(changed, { mirrors }, sides, work, deps);
}

/** Writes down conversations that are new, with the address that both sides know their contact by. */
export async function noteConversations(listed: readonly SideConversation[], { pair, source, target }: SidesOfCopy, { conversations }: Pick<MoveDeps, 'conversations'>): Promise<void> {
  const known = await conversations.known(pair, listed.map(({ id }) => id));
  const back: Pair = { sourceConnectionId: target.connectionId, targetConnectionId: source.connectionId };
  for (const { id, contactId, address: told } of listed) {
    if (known.has(id)) continue;
    // The other way round it is the copy of one that is there.
    const original = await conversations.findByTarget(back, id);
    const address = original?.address ?? told ?? (await source.readContact(contactId)).address;
    if (address === undefined) continue;
    await conversations.note(pair, [{ sourceConversationId: id, sourceContactId: contactId, address, ...(original && { targetConversationId: original.sourceConversationId }) }]);
  }
}

/** Copies these conversations, some at once; the first failure ends it when those that run are done. */
export async function copyAll(listed: readonly SideConversation[], order: { readonly mirrors?: boolean; readonly fromBeginning?: boolean }, sides: SidesOfCopy, work: MoveWork, deps: MoveDeps): Promise<number> {
  const waiting = [...listed];
  const failures: unknown[] = [];
  let written = 0;
  const copyNext = async () => {
    for (let next = waiting.shift(); next !== undefined && failures.length === 0; next = waiting.shift()) {
      work.signal.throwIfAborted();
      written += await copyOne(next, order, sides, work, deps);
    }
  };
  await Promise.all(Array.from({ length: deps.conversationsAtOnce }, () => copyNext().catch((error: unknown) => void failures.push(error))));
  if (failures.length > 0) throw failures[0];
  return written;
}

async function copyOne(listed: SideConversation, order: { readonly mirrors?: boolean; readonly fromBeginning?: boolean }, sides: SidesOfCopy, { owner, signal }: MoveWork, deps: MoveDeps): Promise<number> {
  for (let attempt = 0; attempt < busyRetriesMax; attempt++) {
    const copied = await copyConversation({ ...order, sourceConversationId: listed.id, listed }, sides, owner, signal, deps);
    if (copied !== undefined) return copied;
    await deps.sleep(busyRetryMs);
    signal.throwIfAborted();
  }
  return 1;
}
