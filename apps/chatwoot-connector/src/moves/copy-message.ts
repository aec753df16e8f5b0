import type { Pace } from '@switchboard/connector-kit';
import { hubError, isHubError, type HubError } from '@switchboard/contracts';
import type { MovedMessage, MovedMessages } from '../store/moved-messages.ts';
import type { Pair } from '../store/moved-conversations.ts';
import { copyRefOf, renderCopy } from './domain/render-copy.ts';
import type { MessageCopy, Side, SideMessage } from './side.ts';

export type CopyTiming = {
  /** How long after its claim a call can still write something: its own time limit, and what a server takes that nobody waits for any more. */
  readonly unknownMs: number;
  /** The same of a call with files. */
  readonly unknownFormMs: number;
  /** How long what was written may stay unseen (a replica that lags). */
  readonly settleMs: number;
};

export type CopyDeps = {
  readonly messages: MovedMessages;
  readonly timing: CopyTiming;
  readonly sleep: (ms: number) => Promise<void>;
  /** By conversation: Chatwoot takes 200 messages a minute in one. */
  readonly pace: Pace;
};

export type CopyWork = {
  readonly pair: Pair;
  readonly source: Side;
  readonly target: Side;
  readonly conversation: { readonly sourceConversationId: number; readonly targetConversationId: number };
  /** Who holds the conversation; a claim wants it. */
  readonly owner: string;
  /** Asks the other account again for what it refused. */
  readonly retriesFailed: boolean;
};

/** Bytes of all files of one message; an unchanged server takes 40 MB of each. What is beyond is said to be missing. */
const filesBytesMax = 100 * 1024 * 1024;

/** Thrown when somebody else has the conversation now. */
export class ConversationLost extends Error {}

/**
 * Writes the copy of one message once: claimed right before the call; where an earlier claim is found, its call is waited out and its copy looked for at the
 * target first. Gives back whether it wrote one. Throws what only time mends; what the other account refuses for good is noted and passed over.
 */
export async function copyMessage(message: SideMessage, known: MovedMessage | undefined, work: CopyWork, deps: CopyDeps): Promise<boolean> {
  if (known?.state === 'copied' || (known?.state === 'failed' && !work.retriesFailed)) return false;
  if (known?.state === 'claimed' && (await findWritten(message, known.claimedMsAgo, work, deps))) return true;
  // What takes its time comes before the claim: after it there is the call alone, and its time limit says when it is over.
  const { loaded, missing } = await loadFiles(message, work.source);
  await waitForTurn(work, deps);
  const claimed = { ...work.conversation, sourceMessageId: message.id, attachments: message.attachments.length };
  const isMine = known === undefined ? await deps.messages.claim(work.pair, claimed, work.owner) : await deps.messages.reclaim(work.pair, claimed, work.owner);
  if (!isMine) throw new ConversationLost();
  return write(message, { copy: renderCopy(message, loaded, missing), missing }, work, deps);
}

async function waitForTurn({ target, conversation }: CopyWork, { pace, sleep }: CopyDeps): Promise<void> {
  const turn = pace.take(`${target.inboxKey}/${conversation.targetConversationId}`);
  if (turn.kind === 'too_long') throw hubError('provider.throttled', { retry: { afterMs: turn.retryAfterMs, counted: false }, detail: { sent: false } });
  if (turn.waitMs > 0) await sleep(turn.waitMs);
}

async function findWritten(message: SideMessage, claimedMsAgo: number, { pair, target, conversation }: CopyWork, { messages, timing, sleep }: CopyDeps): Promise<boolean> {
  const waitMs = (message.attachments.length > 0 ? timing.unknownFormMs : timing.unknownMs) - claimedMsAgo;
  if (waitMs > 0) await sleep(waitMs);
  const ref = copyRefOf(message);
  // Copies are written one after the other: this one can only stand after those that are known.
  for (let after = await messages.newestTarget(pair, conversation.sourceConversationId); ; ) {
    const page = (await target.readMessages(conversation.targetConversationId, after)) ?? [];
    const written = page.find(({ hubRef }) => hubRef === ref);
    if (written !== undefined) {
      await messages.settle(pair, message.id, { state: 'copied', targetMessageId: written.id, attachmentsCopied: written.attachments.length });
      return true;
    }
    const last = page.at(-1);
    if (last === undefined || last.id <= after) return false;
    after = last.id;
  }
}

async function write({ id }: SideMessage, { copy, missing }: { readonly copy: MessageCopy; readonly missing: readonly string[] }, { pair, target, conversation }: CopyWork, { messages, timing, sleep }: CopyDeps): Promise<boolean> {
  try {
    const targetMessageId = await target.post(conversation.targetConversationId, copy);
    await messages.settle(pair, id, { state: 'copied', targetMessageId, attachmentsCopied: copy.files.length, ...(missing.length > 0 && { reason: `not available: ${missing.join(', ')}` }) });
    return true;
  } catch (error) {
    if (!isHubError(error)) throw error;
    if (mayBeWritten(error)) {
      await sleep(timing.settleMs);
      throw error;
    }
    if (error.code !== 'provider.rejected' && error.code !== 'media.too_large') {
      await messages.release(pair, id);
      throw error;
    }
    await messages.settle(pair, id, { state: 'failed', reason: error.publicMessage.slice(0, 500) });
    return false;
  }
}

/** One after the other: what is fetched is in memory until it is written. */
async function loadFiles({ attachments }: SideMessage, source: Side) {
  const loaded: MessageCopy['files'][number][] = [];
  const missing: string[] = [];
  let bytesLeft = filesBytesMax;
  for (const { url, fileName, mimeType } of attachments) {
    const file = await source.loadFile(url, bytesLeft);
    if (file === undefined) {
      missing.push(fileName);
      continue;
    }
    bytesLeft -= file.bytes.length;
    loaded.push({ fileName, bytes: file.bytes, mimeType: mimeType ?? file.mimeType ?? 'application/octet-stream' });
  }
  return { loaded, missing };
}

/** The copy may be there although the call failed. */
function mayBeWritten({ code, detail }: HubError): boolean {
  return (code === 'provider.unavailable' || code === 'egress.failed' || code === 'media.too_large') && detail['sent'] === true;
}
