import type { MessageCopy, SideMessage } from '../side.ts';
import { withoutLiquid } from '../../without-liquid.ts';

const refPrefix = 'move:';
/** What Chatwoot takes in one message; the text before it says when and who. */
const contentLengthMax = 150_000;

/** What a copy is known by at the other side: names the message it was made of. */
export function copyRefOf(message: Pick<SideMessage, 'id'>): string {
  return `${refPrefix}${message.id}`;
}

/** Id of the message that this one is a copy of; undefined when it is none. */
export function copiedIdOf({ hubRef }: Pick<SideMessage, 'hubRef'>): number | undefined {
  const digits = hubRef?.startsWith(refPrefix) === true ? hubRef.slice(refPrefix.length) : '';
  return /^[0-9]{1,15}$/.test(digits) ? Number(digits) : undefined;
}

/** Notices that Chatwoot writes by itself are written anew by the other account. */
export function isCopied(message: Pick<SideMessage, 'type'>): boolean {
  return message.type !== 'activity';
}

/**
 * The copy of a message. Chatwoot stamps it with the time of the import and its token's owner: the text says when it was written, and by whom
 * unless the contact did (the other account shows that by itself). `missing` names files that could not be fetched.
 */
export function renderCopy(message: SideMessage, files: MessageCopy['files'], missing: readonly string[] = []): MessageCopy {
  const isIncoming = message.type === 'incoming';
  const head = `[${writtenAt(message.createdAt)}${isIncoming || message.senderName === undefined ? '' : ` · ${message.senderName}`}]`;
  const lines = [message.content, ...missing.map((name) => `(file not available: ${name})`)].filter((line) => line !== '');
  const content = `${head} ${lines.join('\n')}`.trimEnd().slice(0, contentLengthMax);
  return {
    content: isIncoming ? content : withoutLiquid(content),
    type: isIncoming ? 'incoming' : 'outgoing',
    isPrivate: message.isPrivate,
    hubRef: copyRefOf(message),
    writtenAt: message.createdAt,
    sourceId: message.sourceId,
    files,
  };
}

function writtenAt(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
