import { describe, expect, it } from '@jest/globals';
import { newId, type MessageId } from '@switchboard/contracts';
import * as fc from 'fast-check';
import { askedForPerson, atConnection, beginTurn, botSpoke, failTurn, handlerChanged, isSilencedAt, isSilentFor, newSession, type Session } from './session.ts';

const start = Date.UTC(2026, 10, 21, 12);
const replyTimeoutMs = 20_000;
const names = { conversationId: newId('cnv'), connectionId: newId('con') };
const fresh = newSession(names);
const messages = Array.from({ length: 6 }, () => newId('msg'));
const [first = newId('msg'), second = newId('msg')] = messages;

const begin = (session: Session, messageId: MessageId, now: number, writtenAt = now) => beginTurn(session, { messageId, writtenAt, now, replyTimeoutMs });

function asked(session: Session, messageId: MessageId, now: number): Session {
  const decision = begin(session, messageId, now);
  if (decision.kind !== 'ask') throw new Error(`the turn is ${decision.kind}`);
  return decision.session;
}

describe('a session', () => {
  it('is unknown to another bot, which has failed nobody yet, and greets nobody again', () => {
    const session = { ...fresh, welcomedAt: start, reachedAt: start, failures: 1 };
    const other = newId('con');
    expect(atConnection(session, other)).toEqual({ ...session, connectionId: other, reachedAt: null, failures: 0 });
    expect(atConnection(session, session.connectionId)).toBe(session);
  });
});

describe('a turn', () => {
  it('is asked again until it ends, and is known to be asked again', () => {
    const session = asked(fresh, first, start);
    expect(begin(session, first, start + 1)).toEqual({ kind: 'ask', session, isRepeat: true });
    expect(begin(botSpoke(session), first, start + 2)).toEqual({ kind: 'over' });
  });

  it('fails once, and is not asked any more', () => {
    const failed = failTurn(asked(fresh, first, start), first, start + replyTimeoutMs);
    expect(failed).toMatchObject({ failures: 1, fallbackAt: start + replyTimeoutMs });
    expect(failed && failTurn(failed, first, start + 60_000)).toBeUndefined();
    expect(failed && begin(failed, first, start + 3_600_000)).toEqual({ kind: 'over' });
  });

  it('does not fail after the bot has spoken', () => {
    expect(failTurn(botSpoke(asked(fresh, first, start)), first, start + replyTimeoutMs)).toBeUndefined();
  });

  it('that waited behind a failed one is answered by its fallback, and a later one is late', () => {
    const failed = failTurn(asked(fresh, first, start), first, start + replyTimeoutMs) ?? fresh;
    expect(begin(failed, second, start + 60_000, start + 5_000)).toEqual({ kind: 'over' });
    expect(begin(failed, second, start + 60_000, start + 30_000)).toMatchObject({ kind: 'late' });
    expect(begin(failed, second, start + 60_000, start + 59_000)).toMatchObject({ kind: 'ask' });
  });

  it('is not brought to the bot hours after it was written', () => {
    expect(begin(fresh, first, start + 3 * 3_600_000, start)).toMatchObject({ kind: 'late' });
  });

  const step = fc.oneof(
    fc.record({ kind: fc.constant('ask' as const), of: fc.nat(5), waitedMs: fc.constantFrom(0, 1_000, 30_000, 3_600_000) }),
    fc.record({ kind: fc.constant('fail' as const), of: fc.nat(5) }),
    fc.record({ kind: fc.constant('bot' as const) }),
  );

  it('has one fallback at the most, whatever the order of tries, answers and looks', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        let session: Session = fresh;
        let now = start;
        const fallbacks = new Map<MessageId, number>();
        for (const next of steps) {
          now += 1_000;
          if (next.kind === 'bot') session = botSpoke(session);
          else {
            const messageId = messages[next.of] ?? first;
            const decision = next.kind === 'ask' ? begin(session, messageId, now, now - next.waitedMs) : undefined;
            if (decision !== undefined && decision.kind !== 'over') session = decision.session;
            const failed = next.kind === 'fail' || decision?.kind === 'late' ? failTurn(session, messageId, now) : undefined;
            if (failed !== undefined) fallbacks.set(messageId, (fallbacks.get(messageId) ?? 0) + 1);
            session = failed ?? session;
          }
          expect(session.failures).toBeLessThanOrEqual(fallbacks.size);
        }
        for (const count of fallbacks.values()) expect(count).toBe(1);
      }),
    );
  });
});

describe('the bot', () => {
  const handedOver = askedForPerson(asked(fresh, first, start), start + 1_000);
  const atDesk = handlerChanged(handedOver, { handler: 'desk', status: 'open', at: start + 2_000 }) ?? fresh;

  it('is silent from the moment a person is asked for, but for its words before that', () => {
    expect(isSilencedAt(handedOver, start + 1_001, start + 1_500)).toBe(true);
    expect(isSilencedAt(handedOver, start + 1_000, start + 1_500)).toBe(false);
    expect(isSilentFor(handedOver, start + 1_500, start + 1_500)).toBe(true);
  });

  it('goes on when no desk takes the conversation', () => {
    expect(isSilentFor(handedOver, start + 70_000, start + 70_000)).toBe(false);
    expect(isSilencedAt(handedOver, start + 70_000, start + 70_000)).toBe(false);
  });

  it('stays silent as long as the desk has the conversation', () => {
    expect(isSilencedAt(atDesk, start + 3_600_000, start + 3_600_000)).toBe(true);
    expect(handlerChanged(handedOver, { handler: 'bot', status: 'open', at: start })).toBeUndefined();
  });

  it('is asked what was sent to it after the desk took over, although the word of its return is late', () => {
    expect(isSilentFor(atDesk, start + 2_000, start + 9_000)).toBe(true);
    expect(isSilentFor(atDesk, start + 9_000, start + 9_000)).toBe(false);
  });

  it.each([
    { handler: 'bot', status: 'open' },
    { handler: 'none', status: 'closed' },
  ] as const)('speaks again after the conversation is %j', (change) => {
    const back = handlerChanged(atDesk, { ...change, at: start + 10_000 }) ?? atDesk;
    expect(back).toMatchObject({ silentFrom: null, deskSince: null, failures: 0 });
    expect(isSilentFor(back, start + 11_000, start + 11_000)).toBe(false);
  });
});
