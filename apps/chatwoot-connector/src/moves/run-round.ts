import { isHubError, replaceConnectionInRoutes, replaceConnectionInternal, retireConnection, type ConnectionId, type MovePhase } from '@switchboard/contracts';
import type { AccountMove, MoveChange } from '../store/moves.ts';
import { compareSides } from './compare-all.ts';
import { decideNextPhase, type RoundFacts } from './domain/decide-next-phase.ts';
import { backward, copyAll, forward, noteConversations, sweep, type MoveDeps, type MoveWork } from './move-work.ts';

/** What a round did: facts for the next phase, and what is to be kept of it. */
type Round = { readonly facts: RoundFacts; readonly change: MoveChange };

/**
 * One round of work in the move's phase, and what becomes of the move. Every round may break off anywhere and run again: what it writes at the accounts
 * is claimed first, and the calls to the other services change nothing the second time.
 */
export async function runRound(work: MoveWork, deps: MoveDeps): Promise<MoveChange> {
  const { phase } = work.move;
  const { facts, change } = await rounds[phase](work, deps);
  const next = decideNextPhase(phase, facts, deps.limits);
  const isEnd = next === 'done' || next === 'rolled_back';
  const nextAt = new Date(deps.now().getTime() + (next === phase ? pauseOf(phase, deps) : 0));
  return { ...change, phase: next, nextAt, ...(isEnd && { state: 'ended', endedAt: deps.now() }) };
}

/** Somebody ordered something else, or somebody else has the move: the round ends without a word. */
export class MoveInterrupted extends Error {}

const rounds: Readonly<Record<MovePhase, (work: MoveWork, deps: MoveDeps) => Promise<Round>>> = {
  copying,
  catching_up: catchUp,
  switching,
  draining: drain,
  reconciling: reconcile,
  waiting: drain,
  retiring: nothing,
  rolling_back: rollBack,
  done: nothing,
  rolled_back: nothing,
};

/** Milliseconds. Sides that differ are looked at less often: somebody has to decide. */
const waitingPauseMs = 30_000;

function pauseOf(phase: MovePhase, { pauseMs }: MoveDeps): number {
  return phase === 'waiting' ? Math.max(waitingPauseMs, pauseMs) : phase === 'catching_up' ? 0 : pauseMs;
}

async function copying(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const { move, owner, from } = work;
  const sides = forward(work);
  // Before the first list: whatever changes after it is found by the sweeps.
  if (move.sweptAt === undefined) await deps.moves.change(move.moveId, { sweptAt: deps.now() }, { owner });
  if (move.inboxBefore === undefined) await deps.moves.change(move.moveId, { inboxBefore: await work.to.quieten() }, { owner });
  for (let page = 1; ; page++) {
    work.signal.throwIfAborted();
    const { conversations: listed, total } = await from.listConversations(page);
    if (listed.length === 0) break;
    await deps.moves.change(move.moveId, { conversationsTotal: total }, { owner });
    await noteConversations(listed, sides, deps);
    const isIncomplete = await Promise.all(listed.map(async ({ id }) => (await deps.conversations.find(sides.pair, id))?.isComplete === false));
    await copyAll(listed.filter((_, index) => isIncomplete[index]), { mirrors: true }, sides, work, deps);
  }
  return { facts: noNews, change: {} };
}

async function catchUp(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const startedAt = deps.now();
  const news = await sweep(forward(work), work.move.sweptAt ?? work.move.startedAt, true, work, deps);
  const roundMs = deps.now().getTime() - startedAt.getTime();
  return { facts: { ...noNews, news, tookMs: roundMs, tookBeforeMs: work.move.roundMs }, change: { sweptAt: startedAt, roundMs } };
}

/** From here on messages for the new inbox wait until what came before them has been copied (`holdForMove`), then the routes go over, then the conversations. */
async function switching(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const { move, owner } = work;
  // First of all: from the first route that goes over, the way back leads through rolling_back.
  const switchedAt = move.switchedAt ?? deps.now();
  if (move.switchedAt === undefined && (await deps.moves.change(move.moveId, { switchedAt }, { owner, phases: ['switching'], states: ['running'] })) === undefined) throw new MoveInterrupted();
  await deps.sleep(deps.pauseMs);
  await restoreInbox(work);
  await replaceEverywhere(move.fromConnectionId, move.toConnectionId, deps);
  return { facts: noNews, change: { newestAt: deps.now(), inboxBefore: null } };
}

async function drain(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const { move } = work;
  const startedAt = deps.now();
  const replaced = await replaceEverywhere(move.fromConnectionId, move.toConnectionId, deps);
  const copied = await sweep(forward(work), move.sweptAt ?? move.startedAt, false, work, deps);
  const underWay = await deps.moves.countUnsettled(move.fromConnectionId);
  return quietRound(copied + replaced + underWay, startedAt, work, deps);
}

async function reconcile(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const report = await compareSides(forward(work), work, deps);
  if (!report.agrees) return { facts: { ...noNews, agrees: false }, change: { report } };
  const { facts, change } = await drain(work, deps);
  return { facts: { ...facts, agrees: true }, change: { ...change, report } };
}

/** Asks neither inbox: the second time the old one is gone. */
export async function retire({ fromConnectionId }: AccountMove, { callRoute, now }: MoveDeps): Promise<MoveChange> {
  const ended = { phase: 'done', state: 'ended', endedAt: now() } as const;
  try {
    const { atProvider } = await callRoute('tenant-service', retireConnection, { params: { connectionId: fromConnectionId } });
    if (atProvider.outcome !== 'failed') return ended;
    const message = `The old inbox could not be removed at Chatwoot${atProvider.reason === undefined ? '' : `: ${atProvider.reason}`}`;
    return { ...ended, error: { code: 'provider.unavailable', message, at: now() } };
  } catch (error) {
    if (isHubError(error) && error.code === 'connection.not_found') return ended;
    throw error;
  }
}

async function rollBack(work: MoveWork, deps: MoveDeps): Promise<Round> {
  const { move } = work;
  if (move.inboxBefore !== undefined) await restoreInbox(work);
  // Nothing has gone over yet: there is nothing to bring back.
  if (move.switchedAt === undefined) return { facts: { ...noNews, quietMs: Infinity }, change: { inboxBefore: null } };
  const startedAt = deps.now();
  const replaced = await replaceEverywhere(move.toConnectionId, move.fromConnectionId, deps);
  const copied = await sweep(backward(work), move.switchedAt, false, work, deps);
  const underWay = await deps.moves.countUnsettled(move.toConnectionId);
  const round = await quietRound(copied + replaced + underWay, startedAt, work, deps);
  return { ...round, change: { ...round.change, inboxBefore: null } };
}

async function nothing(): Promise<Round> {
  return { facts: noNews, change: {} };
}

const noNews: RoundFacts = { news: 0, tookMs: 0, quietMs: 0 };

async function quietRound(news: number, startedAt: Date, { move }: MoveWork, deps: MoveDeps): Promise<Round> {
  const newestAt = news > 0 ? deps.now() : (move.newestAt ?? startedAt);
  return { facts: { news, tookMs: deps.now().getTime() - startedAt.getTime(), quietMs: startedAt.getTime() - newestAt.getTime() }, change: { sweptAt: startedAt, newestAt } };
}

async function restoreInbox({ move, to }: MoveWork): Promise<void> {
  if (move.inboxBefore !== undefined) await to.restore(move.inboxBefore);
}

/** Routes first: no conversation is begun at the old connection any more when the ones there are go over. Gives back how many went. */
async function replaceEverywhere(from: ConnectionId, to: ConnectionId, { callRoute }: MoveDeps): Promise<number> {
  let { replaced } = await callRoute('tenant-service', replaceConnectionInRoutes, { body: { from, to } });
  for (let isDone = false; !isDone; ) {
    const went = await callRoute('state-manager', replaceConnectionInternal, { body: { from, to } });
    replaced += went.conversations + went.mappings;
    isDone = went.isDone;
  }
  return replaced;
}
