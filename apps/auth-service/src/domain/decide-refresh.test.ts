import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { decideRefresh, joinRefreshSecret, newRefreshSecret, splitRefreshSecret, type RefreshSecret, type SessionState } from './decide-refresh.ts';
import { refreshRepeatMs } from './lifetimes.ts';

const idleMs = 60 * 60_000;
const absoluteMs = 10 * idleMs;

/** One session as the service runs it, with every token that it ever gave out. */
function openWorld() {
  let nowMs = Date.parse('2026-11-21T12:00:00Z');
  let drawn = 0;
  const randomText = (bytes: number) => Buffer.alloc(bytes, ++drawn).toString('base64url');
  const { secret, state } = newRefreshSecret(randomText, new Date(nowMs));
  let session: SessionState = { ...state, expiresAt: new Date(nowMs + absoluteMs), endedAt: null };
  const given: RefreshSecret[] = [secret];
  const decide = (token: RefreshSecret) => decideRefresh(session, token, idleMs, new Date(nowMs), randomText);
  return {
    given,
    decide,
    isEnded: () => session.endedAt !== null,
    wait: (ms: number) => {
      nowMs += ms;
    },
    logout: () => {
      session = { ...session, endedAt: new Date(nowMs) };
    },
    refresh: (token: RefreshSecret) => {
      const decision = decide(token);
      if (decision.kind === 'rotate') session = { ...session, ...decision.state };
      if (decision.kind === 'reused') session = { ...session, endedAt: new Date(nowMs) };
      if (decision.kind === 'rotate' || decision.kind === 'repeat') given.push(decision.next);
      return decision;
    },
    /** Distinct tokens that would make a new one now. */
    live: () => new Set(given.filter((token) => decide(token).kind === 'rotate').map(({ current }) => current)),
  };
}

describe('refreshing a session', () => {
  it('never leaves two tokens alive, whatever is refreshed, used again, waited and logged out in any order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('refresh' as const), which: fc.nat(40) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.constantFrom(1, refreshRepeatMs, refreshRepeatMs + 1, idleMs / 2, idleMs) }),
      fc.record({ kind: fc.constant('logout' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const world = openWorld();
        for (const each of steps) {
          if (each.kind === 'refresh') world.refresh(world.given[each.which % world.given.length]!);
          if (each.kind === 'wait') world.wait(each.ms);
          if (each.kind === 'logout') world.logout();
          const live = world.live();
          expect(live.size).toBeLessThanOrEqual(world.isEnded() ? 0 : 1);
        }
      }),
    );
  });

  it('answers a lost answer\'s request once more with the same token, for some seconds', () => {
    const world = openWorld();
    const [first] = world.given;
    const answer = world.refresh(first!);
    world.wait(refreshRepeatMs);
    expect(world.refresh(first!)).toMatchObject({ kind: 'repeat', next: (answer as { next: RefreshSecret }).next });
    world.wait(1);
    expect(world.refresh(first!)).toEqual({ kind: 'reused' });
    expect(world.live().size).toBe(0);
  });

  it('takes a token for stolen as soon as its successor was used, also within those seconds', () => {
    const world = openWorld();
    const [first] = world.given;
    world.refresh(first!);
    world.refresh(world.given[1]!);
    expect(world.refresh(first!)).toEqual({ kind: 'reused' });
    expect(world.refresh(world.given[2]!)).toEqual({ kind: 'ended' });
  });

  it('ends nothing for a token that was never given: who knows the session\'s id alone cannot end it', () => {
    const world = openWorld();
    const [first] = world.given;
    expect(world.refresh({ family: 'invented', current: first!.current })).toEqual({ kind: 'unknown' });
    expect(world.live().size).toBe(1);
  });

  it('ends when it was idle too long, and at its absolute end however often it was refreshed', () => {
    const idle = openWorld();
    idle.wait(idleMs);
    expect(idle.refresh(idle.given[0]!)).toEqual({ kind: 'ended' });
    const busy = openWorld();
    let refreshed = 0;
    while (busy.refresh(busy.given.at(-1)!).kind === 'rotate') {
      refreshed += 1;
      busy.wait(idleMs / 2);
    }
    expect(refreshed).toBe((absoluteMs / idleMs) * 2);
  });

  it('reads the two parts of a secret back, and nothing else', () => {
    const secret = newRefreshSecret((bytes) => Buffer.alloc(bytes, 0xfb).toString('base64url'), new Date()).secret;
    expect(splitRefreshSecret(joinRefreshSecret(secret))).toEqual(secret);
    expect(splitRefreshSecret('x')).toBeUndefined();
  });
});
