import type { ConnectionId, ConversationId, MessageId } from '@switchboard/contracts';

/** Times are milliseconds since 1970. Everything here is pure: what a session becomes, and what the hub must say or do for it. */

/** What the contact wrote, on its way to the bot: `asked` until the bot says anything, or the hub speaks for it (`failed`). */
export type Turn = { readonly messageId: MessageId; readonly askedAt: number; readonly state: 'asked' | 'answered' | 'failed' };

/** A conversation as its bot has it. */
export type Session = {
  readonly conversationId: ConversationId;
  readonly connectionId: ConnectionId;
  readonly welcomedAt: number | null;
  readonly reachedAt: number | null;
  readonly silentFrom: number | null;
  readonly deskSince: number | null;
  readonly fallbackAt: number | null;
  readonly afterHoursLeadAt: number | null;
  readonly failures: number;
  /** Oldest first. */
  readonly turns: readonly Turn[];
};

/** Turns that are kept: a bot that is down holds back the conversation's next messages, so that few are open at a time. */
const turnsMax = 20;
/** How long the bot stays silent for a desk that was asked and never came: no desk on the route, or one that was taken off it. */
export const handoffPendingMs = 60_000;
/** However long a bot may take: what the contact wrote longer ago is no question any more. */
const turnLifeMs = 10 * 60_000;
/** Turns in a row without an answer, after which a person has to come. */
export const failuresMax = 2;
/** A contact who keeps asking for a person while nobody is there is one lead, not many. */
export const afterHoursLeadEveryMs = 12 * 3_600_000;

export function newSession(names: Pick<Session, 'conversationId' | 'connectionId'>): Session {
  return { ...names, welcomedAt: null, reachedAt: null, silentFrom: null, deskSince: null, fallbackAt: null, afterHoursLeadAt: null, failures: 0, turns: [] };
}

/** The session at the connection that the conversation's bot has now: another bot has never heard of it. */
export function atConnection(session: Session, connectionId: ConnectionId): Session {
  return session.connectionId === connectionId ? session : { ...session, connectionId, reachedAt: null, failures: 0 };
}

/**
 * Whether the bot is not to be asked what was sent to it at `sentAt`. What state-manager decided after the desk had taken over goes to the bot
 * because the bot has the conversation again, although that word is still on its way here.
 */
export function isSilentFor({ silentFrom, deskSince }: Session, sentAt: number, now: number): boolean {
  if (deskSince !== null) return sentAt <= deskSince;
  return silentFrom !== null && now - silentFrom < handoffPendingMs;
}

/** Whether what the bot said at `saidAt` comes too late. Its last words before the change of hands still go out. */
export function isSilencedAt({ silentFrom, deskSince }: Session, saidAt: number, now: number): boolean {
  if (silentFrom === null || saidAt <= silentFrom) return false;
  return deskSince !== null || now - silentFrom < handoffPendingMs;
}

export type TurnDecision =
  /** `isRepeat`: tried before, and the bot may have it. */
  | { readonly kind: 'ask'; readonly session: Session; readonly isRepeat: boolean }
  /** It was answered in another way, or has been answered for. */
  | { readonly kind: 'over' }
  /** So old that the bot is not asked any more, and nobody has said anything yet. */
  | { readonly kind: 'late'; readonly session: Session };

/** What becomes of a message of the contact: each try of it asks. `writtenAt` is when it was sent on its way to the bot. */
export function beginTurn(session: Session, { messageId, writtenAt, now, replyTimeoutMs }: { readonly messageId: MessageId; readonly writtenAt: number; readonly now: number; readonly replyTimeoutMs: number }): TurnDecision {
  const known = session.turns.find((turn) => turn.messageId === messageId);
  if (known !== undefined) return known.state === 'asked' ? { kind: 'ask', session, isRepeat: true } : { kind: 'over' };
  const begun = { ...session, turns: [...session.turns, { messageId, askedAt: now, state: 'asked' as const }].slice(-turnsMax) };
  const ageMs = now - writtenAt;
  const isLate = ageMs > Math.max(turnLifeMs, replyTimeoutMs) || (session.failures > 0 && ageMs > replyTimeoutMs);
  if (!isLate) return { kind: 'ask', session: begun, isRepeat: false };
  // The hub has spoken since it was written: that was its answer too.
  return session.fallbackAt !== null && writtenAt <= session.fallbackAt ? { kind: 'over' } : { kind: 'late', session: begun };
}

/** The bot has spoken: every open turn has its answer. */
export function botSpoke(session: Session): Session {
  if (session.failures === 0 && session.turns.every(({ state }) => state !== 'asked')) return session;
  return { ...session, failures: 0, turns: session.turns.map((turn) => (turn.state === 'asked' ? { ...turn, state: 'answered' } : turn)) };
}

/**
 * The bot left this turn without an answer: undefined when it did not, or the hub has spoken already. What the contact wrote meanwhile is answered for
 * with it: one silence, one fallback.
 */
export function failTurn(session: Session, messageId: MessageId, now: number): Session | undefined {
  if (!session.turns.some((turn) => turn.messageId === messageId && turn.state === 'asked')) return undefined;
  return { ...session, fallbackAt: now, failures: session.failures + 1, turns: session.turns.map((turn) => (turn.state === 'asked' ? { ...turn, state: 'failed' } : turn)) };
}

/** A person was asked for: the bot is silent from now. */
export function askedForPerson(session: Session, now: number): Session {
  return { ...botSpoke(session), silentFrom: now, deskSince: null };
}

/** A person was asked for, and no desk has taken the conversation: the bot speaks again. Undefined: one has, or still may. */
export function nobodyCame(session: Session, now: number): Session | undefined {
  const { silentFrom, deskSince } = session;
  return silentFrom !== null && deskSince === null && now - silentFrom >= handoffPendingMs ? { ...session, silentFrom: null } : undefined;
}

/** The conversation's own word on who has it, said at `at`. Undefined: nothing new. */
export function handlerChanged(session: Session, { handler, status, at }: { readonly handler: 'bot' | 'desk' | 'none'; readonly status: 'open' | 'closed'; readonly at: number }): Session | undefined {
  if (handler === 'desk' && status === 'open') return { ...botSpoke(session), silentFrom: Math.min(session.silentFrom ?? at, at), deskSince: at };
  if (session.silentFrom === null) return undefined;
  // Said before the handoff was asked for: its answer is still to come.
  if (session.deskSince === null && at <= session.silentFrom) return undefined;
  return { ...botSpoke(session), silentFrom: null, deskSince: null };
}
