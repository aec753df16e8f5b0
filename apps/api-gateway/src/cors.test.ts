import { describe, expect, it } from '@jest/globals';
import type { CallRoute } from '@switchboard/service-kit';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createCors } from './cors.ts';

const ofAcme = 'https://app.acme.test';
const ofGlobex = 'https://app.globex.test';
const minuteMs = 60_000;

/** Preflights at the common host, before a tenant-service that answers when it is told to. */
function setUp() {
  const state = { now: 0, asked: [] as string[], isHeld: false };
  const held: (() => void)[] = [];
  const callRoute = (async (_service: string, _contract: unknown, { body: { origin } }: { body: { origin: string } }) => {
    state.asked.push(origin);
    const isAllowed = origin === ofAcme || origin === ofGlobex;
    if (state.isHeld && !isAllowed) await new Promise<void>((resolve) => held.push(resolve));
    return { isAllowed };
  }) as unknown as CallRoute; // one contract is all that is asked here
  const cors = createCors({ callRoute, now: () => new Date(state.now) });
  const isAllowed = async (origin: string): Promise<boolean> => {
    const headers = new Map<string, unknown>();
    // As much of them as an answer to a preflight needs.
    const response = { setHeader: (name: string, value: unknown) => void headers.set(name, value), writeHead: () => ({ end: () => undefined }) } as unknown as ServerResponse;
    await cors.answerPreflight({ headers: { origin } } as IncomingMessage, response, { allow: ['GET'], tenant: undefined });
    return headers.get('access-control-allow-origin') === origin;
  };
  const strangers = (count: number, name = 'made-up') => Array.from({ length: count }, (_, i) => isAllowed(`https://${name}-${i}.test`).catch((error: { code: string }) => error.code));
  const release = async () => {
    state.isHeld = false;
    for (let one = held.shift(); one !== undefined; one = held.shift()) {
      one();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return { state, cors, isAllowed, strangers, release };
}
const asksOf = (asked: readonly string[], origin: string) => asked.filter((one) => one === origin).length;

describe('origins that nobody allows', () => {
  it('do not make one unknown that was allowed lately, however many are under way', async () => {
    const { state, isAllowed, strangers, release } = setUp();
    await isAllowed(ofAcme);
    state.now += 2 * minuteMs;
    state.isHeld = true;
    const flood = strangers(200);
    expect(await isAllowed(ofAcme)).toBe(true);
    expect(asksOf(state.asked, ofAcme)).toBe(2);
    await release();
    expect(await Promise.all(flood)).toEqual(Array.from({ length: 200 }, () => false));
  });

  it('make one that is new wait for its turn, and never refused', async () => {
    const { state, isAllowed, strangers, release } = setUp();
    state.isHeld = true;
    const flood = strangers(100);
    const answer = isAllowed(ofGlobex);
    await release();
    expect(await answer).toBe(true);
    await Promise.all(flood);
  });

  it('are told to come back when too many of them wait', async () => {
    const { state, strangers, release } = setUp();
    state.isHeld = true;
    const flood = strangers(400);
    await release();
    const answers = await Promise.all(flood);
    expect(new Set(answers)).toEqual(new Set([false, 'service.unavailable']));
    expect(answers.filter((answer) => answer === false).length).toBeGreaterThan(200);
  });

  it('push out none that is allowed', async () => {
    const { state, isAllowed, strangers } = setUp();
    await isAllowed(ofAcme);
    for (let round = 0; round < 60; round++) await Promise.all(strangers(100, `round-${round}`));
    expect(await isAllowed(ofAcme)).toBe(true);
    expect(asksOf(state.asked, ofAcme)).toBe(1);
  });

  it('are asked for once by many, and again after some seconds', async () => {
    const { state, isAllowed } = setUp();
    const other = 'https://other.test';
    await Promise.all(Array.from({ length: 10 }, () => isAllowed(other)));
    expect(asksOf(state.asked, other)).toBe(1);
    state.now += 10_000;
    expect(await isAllowed(other)).toBe(false);
    expect(asksOf(state.asked, other)).toBe(2);
  });
});

describe('an origin that was answered for', () => {
  it('is asked for again when some tenant changed, also while it is being asked for', async () => {
    const { state, cors, isAllowed, release } = setUp();
    await isAllowed(ofAcme);
    cors.forget();
    await isAllowed(ofAcme);
    expect(asksOf(state.asked, ofAcme)).toBe(2);
    const late = 'https://late.test';
    state.isHeld = true;
    const underWay = isAllowed(late);
    await new Promise((resolve) => setImmediate(resolve));
    cors.forget();
    state.isHeld = false;
    expect(await isAllowed(late)).toBe(false);
    await release();
    await underWay;
    expect(asksOf(state.asked, late)).toBe(2);
  });
});
