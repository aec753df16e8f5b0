import type { MoveReport } from '@switchboard/contracts';
import type { SideMessage } from '../side.ts';
import { copiedIdOf, isCopied } from './render-copy.ts';

export type ConversationComparison = MoveReport['differing'][number] & { readonly attachments: { readonly source: number; readonly target: number } };

export type ComparedConversation = {
  readonly conversation: string;
  /** All of the conversation that is copied, by id. */
  readonly source: readonly SideMessage[];
  /** All of the conversation that holds the copies, by id; others' messages are passed over. */
  readonly target: readonly SideMessage[];
  /** Messages of the source that came from the target (an earlier move was rolled back). */
  readonly isNative: (message: SideMessage) => boolean;
};

/** Counts a conversation and its copy against each other, message by message. */
export function compareConversation({ conversation, source, target, isNative }: ComparedConversation): ConversationComparison {
  const wanted = source.filter((message) => isCopied(message) && isNative(message));
  const wantedIds = new Set(wanted.map(({ id }) => id));
  const copies = target.flatMap((message) => {
    const id = copiedIdOf(message);
    return id !== undefined && wantedIds.has(id) ? [{ id, attachments: message.attachments.length }] : [];
  });
  const first = new Map<number, number>();
  for (const { id, attachments } of copies) if (!first.has(id)) first.set(id, attachments);
  let newest = 0;
  let misplaced = 0;
  for (const id of first.keys()) {
    if (id < newest) misplaced++;
    newest = Math.max(newest, id);
  }
  const attachments = { source: sum(wanted.map((message) => message.attachments.length)), target: sum([...first.values()]) };
  const missing = wanted.length - first.size;
  return {
    conversation,
    source: wanted.length,
    target: first.size,
    missing,
    doubled: copies.length - first.size,
    misplaced,
    attachments,
    attachmentsMissing: sum(wanted.map((message) => Math.max(0, message.attachments.length - (first.get(message.id) ?? 0)))),
  };
}

const differingMax = 100;

/** The report over all conversations of the source; `uncopied` of them have no copy at all. */
export function summarise(compared: readonly ConversationComparison[], uncopied: readonly string[], at: Date): MoveReport {
  const total = (of: (comparison: ConversationComparison) => number) => sum(compared.map(of));
  const messages = { source: total((one) => one.source), target: total((one) => one.target), missing: total((one) => one.missing), doubled: total((one) => one.doubled), misplaced: total((one) => one.misplaced) };
  const differing = compared.filter((one) => one.missing + one.doubled + one.misplaced + one.attachmentsMissing > 0);
  return {
    at: at.toISOString(),
    agrees: differing.length === 0 && uncopied.length === 0,
    conversations: { source: compared.length + uncopied.length, target: compared.length },
    messages,
    attachments: { source: total((one) => one.attachments.source), target: total((one) => one.attachments.target) },
    differing: [
      ...uncopied.map((conversation) => ({ conversation, source: 0, target: 0, missing: 0, doubled: 0, misplaced: 0, attachmentsMissing: 0 })),
      ...differing.map(({ attachments: _attachments, ...rest }) => rest),
    ].slice(0, differingMax),
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
