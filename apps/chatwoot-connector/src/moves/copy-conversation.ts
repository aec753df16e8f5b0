import type { Threads } from '../store/threads.ts';
import type { MovedConversation, MovedConversations, Pair } from '../store/moved-conversations.ts';
import { ConversationLost, copyMessage, type CopyDeps } from './copy-message.ts';
import { copiedIdOf, isCopied } from './domain/render-copy.ts';
import type { ConversationFacts, Side, SideConversation, SideMessage } from './side.ts';

export type ConversationCopyDeps = CopyDeps & {
  readonly conversations: MovedConversations;
  /** Which conversation stands for a contact at an inbox: what goes there later goes into the copy, and its status as the copier set it is nobody's order. */
  readonly threads: Pick<Threads, 'learn' | 'noteStatus'>;
  readonly leaseMs: number;
  readonly now: () => Date;
};

export type SidesOfCopy = { readonly pair: Pair; readonly source: Side; readonly target: Side };

export type CopyOrder = {
  readonly sourceConversationId: number;
  /** As it was listed, before its messages are read; without it nothing but messages is copied. */
  readonly listed?: SideConversation;
  /** Nobody works at the target yet: after every message its status is the source's again (a contact's message opens it). */
  readonly mirrors?: boolean;
  /** Reads the whole conversation again instead of what came last. */
  readonly fromBeginning?: boolean;
};

/** Messages of the newest ones that are read again: two that were written at once may be seen in another order than that of their ids. */
const overlapCount = 10;

/**
 * Copies what a conversation has and its copy has not. One at a time does so, over all processes: undefined when somebody else is at it.
 * Gives back how many messages it wrote. `signal` ends it between two messages.
 */
export async function copyConversation(order: CopyOrder, sides: SidesOfCopy, owner: string, signal: AbortSignal, deps: ConversationCopyDeps): Promise<number | undefined> {
  const { pair } = sides;
  const { sourceConversationId } = order;
  const { conversations, leaseMs } = deps;
  if (!(await conversations.take(pair, sourceConversationId, owner, leaseMs))) return undefined;
  const lost = new AbortController();
  const heartbeat = setInterval(() => {
    conversations.renew(pair, sourceConversationId, owner, leaseMs).then((holds) => holds || lost.abort(new ConversationLost()), () => undefined);
  }, leaseMs / 3).unref();
  try {
    return await copyHeld(order, sides, owner, AbortSignal.any([signal, lost.signal]), deps);
  } catch (error) {
    if (error instanceof ConversationLost) return undefined;
    throw error;
  } finally {
    clearInterval(heartbeat);
    await conversations.release(pair, sourceConversationId, owner);
  }
}

async function copyHeld(order: CopyOrder, sides: SidesOfCopy, owner: string, signal: AbortSignal, deps: ConversationCopyDeps): Promise<number> {
  const { pair, source } = sides;
  const { sourceConversationId, listed, fromBeginning = false } = order;
  const { conversations, messages } = deps;
  const known = await conversations.find(pair, sourceConversationId);
  if (known === undefined) return 0;
  const targetConversationId = known.targetConversationId ?? (await makeCopy(known, listed, sides, deps));
  const work = { ...sides, conversation: { sourceConversationId, targetConversationId }, owner, retriesFailed: fromBeginning };
  let copied = 0;
  for (let after = fromBeginning ? 0 : await messages.overlapStart(pair, sourceConversationId, overlapCount); ; ) {
    const page = (await source.readMessages(sourceConversationId, after)) ?? [];
    const settled = await messages.find(pair, page.map(({ id }) => id));
    for (const message of page) {
      signal.throwIfAborted();
      if (isCopied(message) && !(await cameFromTarget(message, pair, deps)) && (await copyMessage(message, settled.get(message.id), work, deps))) copied++;
    }
    const last = page.at(-1);
    if (last === undefined || last.id <= after) break;
    after = last.id;
  }
  const newest = copied > 0 ? await messages.newestTarget(pair, sourceConversationId) : 0;
  if (newest > 0) await deps.threads.learn({ inboxKey: sides.target.inboxKey, address: known.address }, { displayId: targetConversationId, messageId: newest });
  if (listed !== undefined) {
    const isStale = !known.isComplete || known.facts !== factsText(listed.facts) || (order.mirrors === true && copied > 0);
    if (isStale) await copyFacts({ sourceConversationId, targetConversationId, address: known.address }, listed.facts, sides, deps);
  }
  return copied;
}

/** Of a conversation that was rolled back once: what was copied back from the target is there already. */
export async function cameFromTarget(message: SideMessage, pair: Pair, { messages }: Pick<ConversationCopyDeps, 'messages'>): Promise<boolean> {
  const id = copiedIdOf(message);
  if (id === undefined) return false;
  const back: Pair = { sourceConnectionId: pair.targetConnectionId, targetConnectionId: pair.sourceConnectionId };
  return (await messages.find(back, [id])).has(id);
}

/** Contact, its place in the inbox, conversation. Each is found again where an earlier attempt made it. */
async function makeCopy(known: MovedConversation, listed: SideConversation | undefined, { pair, source, target }: SidesOfCopy, { conversations, threads, now }: ConversationCopyDeps): Promise<number> {
  const { sourceConversationId, sourceContactId, address } = known;
  const like = listed ?? (await source.findByAddress(address)).find(({ id }) => id === sourceConversationId) ?? emptyLike(known);
  const contact = await source.readContact(sourceContactId);
  await conversations.change(pair, sourceConversationId, { claimedAt: now() });
  const contactId = await target.makeContact({ ...contact, address });
  const conversationId = await target.makeConversation({ address, contactId, marker: `${pair.sourceConnectionId}/${sourceConversationId}`, like });
  await threads.learn({ inboxKey: target.inboxKey, address }, { displayId: conversationId });
  await conversations.change(pair, sourceConversationId, { targetConversationId: conversationId, targetContactId: contactId });
  return conversationId;
}

/** Status, labels and assignee follow the source when they change there; afterwards they are the target's own. */
async function copyFacts(copy: { readonly sourceConversationId: number; readonly targetConversationId: number; readonly address: string }, facts: ConversationFacts, { pair, target }: SidesOfCopy, { conversations, threads, now }: ConversationCopyDeps): Promise<void> {
  // Before the call: its webhook may be faster than its answer.
  await threads.noteStatus({ inboxKey: target.inboxKey, address: copy.address }, facts.status);
  await target.setFacts(copy.targetConversationId, facts);
  await conversations.change(pair, copy.sourceConversationId, { isComplete: true, status: factsText(facts), statusSetAt: now() });
}

function factsText({ status, labels, assigneeEmail }: ConversationFacts): string {
  return JSON.stringify([status, labels, assigneeEmail ?? null]);
}

function emptyLike({ sourceConversationId, sourceContactId, address }: MovedConversation): SideConversation {
  return { id: sourceConversationId, contactId: sourceContactId, address, facts: { status: 'open', labels: [], assigneeEmail: undefined }, customAttributes: {}, additionalAttributes: {} };
}
