import type { MoveReport } from '@switchboard/contracts';
import type { SidesOfCopy } from './copy-conversation.ts';
import { compareConversation, summarise, type ConversationComparison } from './domain/compare-sides.ts';
import { copiedIdOf } from './domain/render-copy.ts';
import { cameFromTarget } from './copy-conversation.ts';
import { copyAll, noteConversations, type MoveDeps, type MoveWork } from './move-work.ts';
import type { Side, SideConversation, SideMessage } from './side.ts';

/**
 * Reads both inboxes from their beginning and counts them against each other. What is missing is copied first: a message that was seen late, or one that
 * the other account refused for a reason that is gone.
 */
export async function compareSides(sides: SidesOfCopy, work: MoveWork, deps: MoveDeps): Promise<MoveReport> {
  const compared: ConversationComparison[] = [];
  const uncopied: string[] = [];
  for (let page = 1; ; page++) {
    work.signal.throwIfAborted();
    const { conversations: listed } = await sides.source.listConversations(page);
    if (listed.length === 0) break;
    await noteConversations(listed, sides, deps);
    await copyAll(listed, { fromBeginning: true }, sides, work, deps);
    await inTurns(listed, deps.conversationsAtOnce, async (conversation) => {
      const comparison = await compareOne(conversation, sides, deps);
      if (comparison === undefined) uncopied.push(String(conversation.id));
      else compared.push(comparison);
    });
  }
  return summarise(compared.toSorted((a, b) => Number(a.conversation) - Number(b.conversation)), uncopied, deps.now());
}

async function compareOne({ id }: SideConversation, sides: SidesOfCopy, deps: MoveDeps): Promise<ConversationComparison | undefined> {
  const known = await deps.conversations.find(sides.pair, id);
  if (known?.targetConversationId === undefined) return undefined;
  const source = await readAll(sides.source, id);
  const foreign = new Set<number>();
  for (const message of source) if (copiedIdOf(message) !== undefined && (await cameFromTarget(message, sides.pair, deps))) foreign.add(message.id);
  return compareConversation({ conversation: String(id), source, target: await readAll(sides.target, known.targetConversationId), isNative: (message) => !foreign.has(message.id) });
}

async function readAll(side: Side, conversationId: number): Promise<SideMessage[]> {
  const all: SideMessage[] = [];
  for (let after = 0; ; ) {
    const page = (await side.readMessages(conversationId, after)) ?? [];
    all.push(...page);
    const last = page.at(-1);
    if (last === undefined || last.id <= after) return all;
    after = last.id;
  }
}

async function inTurns<Item>(items: readonly Item[], atOnce: number, run: (item: Item) => Promise<void>): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await run(next);
    }),
  );
}
