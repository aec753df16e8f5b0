import { describeContent, type Author, type ContentOf, type MessageContent } from '@switchboard/contracts';

export type Transcript = NonNullable<ContentOf<'handoff'>['transcript']>;
export type Said = { readonly author: Author; readonly content: MessageContent; readonly sentAt: Date };

/** Messages that an agent is shown of a conversation that is handed over: what a person reads before the first answer. */
export const transcriptMessagesMax = 50;
/** Bytes of their texts as UTF-8: some four screens. A desk's own limits are its connector's business. */
export const transcriptBytesMax = 16_384;
/** Characters of one of them: a bot's long answer must not push out the rest. */
export const transcriptTextLengthMax = 1_000;

/** What was said last, oldest first, within the limits; what does not fit is left out at the beginning. Takes the newest first. */
export function makeTranscript(newestFirst: readonly Said[]): Transcript {
  const transcript: Transcript = [];
  let bytes = 0;
  for (const { author, content, sentAt } of newestFirst.slice(0, transcriptMessagesMax)) {
    const text = shorten(describeContent(content), transcriptTextLengthMax);
    bytes += Buffer.byteLength(text);
    if (bytes > transcriptBytesMax) break;
    transcript.unshift({ author, text, at: sentAt.toISOString() });
  }
  return transcript;
}

/** What an agent is told at a glance when nobody else has summed it up. */
export function summarize({ contactName, channel, messageCount }: { readonly contactName: string; readonly channel: string; readonly messageCount: number }): string {
  return `${contactName} on ${channel}, ${messageCount} ${messageCount === 1 ? 'message' : 'messages'} so far.`;
}

/** At most so many characters, with an ellipsis for what is missing; no half of a pair of surrogates stays at the end. */
export function shorten(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
