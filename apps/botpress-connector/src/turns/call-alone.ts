import { hubError, type ConversationId } from '@switchboard/contracts';
import { randomUUID } from 'node:crypto';
import type { TurnParts } from './turn-parts.ts';

/** Seconds without a sign of life after which a process that was asking a bot is taken for dead, and milliseconds between two signs. */
const callSeconds = 10;
const signOfLifeMs = 3_000;
const busyRetryMs = 3_000;

/**
 * Runs a call to the bot, the only one in its conversation: another process may have the same message, as after a partition moved, and would ask beside
 * it. The call is told whether the one before it was for this message too.
 */
export type CallAlone = <T>(conversationId: ConversationId, messageId: string, call: (isRepeat: boolean) => Promise<T>) => Promise<T>;

export function createCallAlone({ db, sessions }: Pick<TurnParts, 'db' | 'sessions'>): CallAlone {
  return async (conversationId, messageId, call) => {
    const name = `${messageId}/${randomUUID()}`;
    const hold = () => db.transaction(() => sessions.holdCall(conversationId, name, callSeconds));
    const held = await hold();
    if (held === undefined) throw hubError('service.unavailable', { publicMessage: 'Another process is sending this message.', retry: { afterMs: busyRetryMs, counted: false }, detail: { sent: false } });
    const signs = setInterval(() => void hold().catch(() => undefined), signOfLifeMs).unref();
    try {
      return await call(held.before?.startsWith(`${messageId}/`) === true);
    } finally {
      clearInterval(signs);
      await db.transaction(() => sessions.endCall(conversationId, name));
    }
  };
}
