import { createPace, type ConnectorTools, type SendEvent } from '@switchboard/connector-kit';
import { getRoutesInternal, hubError, type AccountMoveRecord, type ConnectionId, type ConnectionWithSecrets, type MovePhase } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { currentActor, currentTenant } from '@switchboard/tenant-context';
import { setTimeout as sleep } from 'node:timers/promises';
import { pacedEgress, type EgressPace } from '../api/paced-egress.ts';
import type { PrismaClient } from '../store/generated/client.ts';
import { createMovedConversations } from '../store/moved-conversations.ts';
import { createMovedMessages } from '../store/moved-messages.ts';
import { createMoveStore, type AccountMove, type MoveChange, type MoveState } from '../store/moves.ts';
import { createChatwootSide } from './chatwoot-side.ts';
import type { ConversationCopyDeps } from './copy-conversation.ts';
import { canRollBack, type PhaseLimits } from './domain/decide-next-phase.ts';
import { createHoldForMove } from './hold-for-move.ts';
import type { MoveDeps, MoveWork } from './move-work.ts';
import { createMoveRunner } from './run-moves.ts';

/** In milliseconds; see where each is used. */
export type MoveTiming = PhaseLimits & { readonly unknownMs: number; readonly unknownFormMs: number; readonly settleMs: number; readonly leaseMs: number; readonly pollMs: number; readonly pauseMs: number };

const timingDefault: MoveTiming = {
  // Contacts' messages wait at most about this long for the copying of theirs right after the switch.
  lagMsMax: 10_000,
  // Messages on their way wait in the bus for seconds; a provider that throttles holds them for a minute.
  quietMs: 120_000,
  // The time limit of a call, and what a server may still do with it.
  unknownMs: 25_000,
  unknownFormMs: 125_000,
  settleMs: 1_000,
  // A process that died is followed by another one within this.
  leaseMs: 10_000,
  pollMs: 1_000,
  pauseMs: 2_000,
};

/** Calls a minute to a server, of the 3 000 that Chatwoot takes from the hub's address (contract, 3.1): the greater part is left for the traffic. */
const callsPerMinute = 1_200;
const callsAtOnce = 30;
/** Of the 200 messages a minute that a conversation takes: never more than 180 in one, whatever minute is counted. */
const conversationPace = { perMinute: 120, burst: 60 } as const;
const turnWaitMaxMs = 60_000;
/** A move has ten phases: whoever comes too late more often than that has met no runner that goes on, but a defect. */
const looksMax = 20;

export type Moves = ReturnType<typeof createMoves>;

export type MovesOptions = {
  readonly threads: ConversationCopyDeps['threads'];
  /** The rhythm in which the connector calls its servers, the moves among others. */
  readonly servers: EgressPace;
  readonly timing?: Partial<MoveTiming>;
  /** To one server. */
  readonly callsPerMinute?: number;
};

/** Moving tenants between Chatwoot accounts: the orders that the API gives, the runner, and what sending and receiving ask meanwhile. */
export function createMoves(kit: Pick<Kit<unknown, PrismaClient>, 'db' | 'bus' | 'egress' | 'callRoute' | 'now' | 'log'>, tools: Pick<ConnectorTools, 'connections' | 'runClient'>, options: MovesOptions) {
  const timing = { ...timingDefault, ...options.timing };
  const { db, bus, now, callRoute } = kit;
  const moves = createMoveStore(db);
  const conversations = createMovedConversations(db);
  const own = createPace({ perMinute: options.callsPerMinute ?? callsPerMinute, burst: callsAtOnce, waitMaxMs: turnWaitMaxMs, now });
  const egress = pacedEgress(pacedEgress(kit.egress, options.servers), { pace: own, sleep });
  const deps: MoveDeps = {
    moves,
    conversations,
    messages: createMovedMessages(db),
    threads: options.threads,
    callRoute,
    loadConnection: (connectionId) => tools.connections.load(connectionId),
    openSide: (connection) => createChatwootSide({ connection, egress }),
    limits: timing,
    timing,
    pace: createPace({ ...conversationPace, waitMaxMs: turnWaitMaxMs, now }),
    leaseMs: timing.leaseMs,
    pauseMs: timing.pauseMs,
    conversationsAtOnce: 4,
    sleep,
    now,
  };
  const withSides = <T>(move: AccountMove, work: (sides: Pick<MoveWork, 'from' | 'to'>) => Promise<T>): Promise<T> => openSides(move, work, deps, tools);
  const runner = createMoveRunner({ deps, withSides, log: kit.log, pollMs: timing.pollMs, leaseMs: timing.leaseMs });
  const hold = createHoldForMove({ deps, withSides, keepMs: Math.min(1_000, timing.pauseMs / 2) });

  /** In the open transaction. */
  async function audit(action: string, { moveId, phase, fromConnectionId, toConnectionId }: AccountMove): Promise<void> {
    await bus.publish('audit.recorded', { at: now().toISOString(), actor: currentActor(), action, subject: moveId, facts: { phase, fromConnectionId, toConnectionId } }, { orderingKey: currentTenant() });
  }

  async function order(action: string, change: (move: AccountMove) => MoveChange | undefined): Promise<AccountMoveRecord> {
    // The runner may go on to another phase between the look and the order: then it is looked at again.
    for (let look = 1; ; look++) {
      const move = await moves.findLatest();
      if (move === undefined) throw hubError('move.not_found');
      const wanted = move.state === 'ended' || look > looksMax ? undefined : change(move);
      if (wanted === undefined) throw hubError('move.wrong_phase', { publicMessage: `The move is ${move.state} in phase ${move.phase}.` });
      const changed = await db.transaction(async () => {
        const done = await moves.change(move.moveId, wanted, { states: [move.state], phases: [move.phase] });
        if (done !== undefined) await audit(action, move);
        return done;
      });
      if (changed === undefined) continue;
      runner.wake();
      return record(changed);
    }
  }

  async function record(move: AccountMove): Promise<AccountMoveRecord> {
    const counts = await conversations.count({ sourceConnectionId: move.fromConnectionId, targetConnectionId: move.toConnectionId });
    return recordOf(move, { ...counts, conversations: { ...counts.conversations, total: Math.max(counts.conversations.total, move.conversationsTotal) } });
  }

  const run = (state: MoveState, phase?: MovePhase): MoveChange => ({ state, nextAt: now(), failures: 0, ...(phase && { phase }) });

  return {
    async start({ fromConnectionId, toConnectionId }: { readonly fromConnectionId?: ConnectionId | undefined; readonly toConnectionId: ConnectionId }): Promise<AccountMoveRecord> {
      const to = await tools.connections.load(toConnectionId);
      const from = await tools.connections.load(fromConnectionId ?? (await findShared(to, deps)));
      assertMovable(from, to);
      const move = await db.transaction(async () => {
        const begun = await moves.start({ fromConnectionId: from.connectionId, toConnectionId });
        if (begun !== undefined) await audit('chatwoot_move.started', begun);
        return begun;
      });
      if (move === undefined) throw hubError('move.running');
      runner.wake();
      return record(move);
    },
    async get(): Promise<AccountMoveRecord> {
      const move = await moves.findLatest();
      if (move === undefined) throw hubError('move.not_found');
      return record(move);
    },
    pause: () => order('chatwoot_move.paused', (move) => (move.state === 'running' ? { state: 'paused' } : undefined)),
    resume: () => order('chatwoot_move.resumed', (move) => (move.phase === 'waiting' ? run('running', 'reconciling') : move.state === 'running' ? undefined : run('running'))),
    rollBack: () => order('chatwoot_move.rolled_back', (move) => (canRollBack(move.phase) ? { ...run('running', 'rolling_back'), newestAt: now() } : undefined)),
    retire: () => order('chatwoot_move.retired', (move) => (move.phase === 'waiting' ? run('running', 'retiring') : undefined)),
    beforeSend: (event: SendEvent, connectionId: ConnectionId) => hold.beforeSend(event, connectionId),
    startRunner: () => runner.start(),
    stopRunner: () => runner.stop(),
  };
}

/** Both connections with what they may do now; whatever is thrown has lost their secrets. */
async function openSides<T>(move: AccountMove, work: (sides: Pick<MoveWork, 'from' | 'to'>) => Promise<T>, deps: MoveDeps, { runClient }: Pick<ConnectorTools, 'runClient'>): Promise<T> {
  const [from, to] = await Promise.all([deps.loadConnection(move.fromConnectionId), deps.loadConnection(move.toConnectionId)]);
  return runClient(from, () => runClient(to, () => work({ from: deps.openSide(from), to: deps.openSide(to) })));
}

async function findShared(to: ConnectionWithSecrets, { callRoute, loadConnection }: MoveDeps): Promise<ConnectionId> {
  const { connections } = await callRoute('tenant-service', getRoutesInternal, {});
  const others = connections.filter(({ connectionId, provider, role, status }) => provider === 'chatwoot' && role === to.role && status === 'active' && connectionId !== to.connectionId);
  const shared = (await Promise.all(others.map(({ connectionId }) => loadConnection(connectionId)))).filter(({ settings }) => settings['mode'] === 'shared');
  const [only] = shared;
  if (only === undefined || shared.length > 1) throw hubError('move.impossible', { publicMessage: only === undefined ? 'The tenant has no connection of this role in a shared account.' : 'The tenant has several connections in shared accounts: name one as fromConnectionId.' });
  return only.connectionId;
}

function assertMovable(from: ConnectionWithSecrets, to: ConnectionWithSecrets): void {
  for (const connection of [from, to]) {
    if (connection.provider !== 'chatwoot') throw hubError('move.impossible', { publicMessage: 'Both connections must be of Chatwoot.' });
    if (connection.status !== 'active') throw hubError('connection.not_active');
    if ((connection.settings['inboxType'] ?? 'api') !== 'api') throw hubError('move.impossible', { publicMessage: "Only inboxes of type API can be moved: what a contact wrote can be written into no other. Connect the website's widget to the new account instead." });
  }
  if (from.settings['mode'] !== 'shared' || to.settings['mode'] === 'shared') throw hubError('move.impossible', { publicMessage: 'A move leads from a connection in a shared account to one in an account of the tenant.' });
  if (from.role !== to.role) throw hubError('move.impossible', { publicMessage: 'Both connections must have the same role.' });
}

function recordOf(move: AccountMove, counts: AccountMoveRecord['counts']): AccountMoveRecord {
  const { moveId, fromConnectionId, toConnectionId, state, phase, error, report, switchedAt, startedAt, endedAt } = move;
  return {
    moveId, fromConnectionId, toConnectionId, state, phase, counts,
    error: error === undefined ? null : { ...error, at: error.at.toISOString() },
    report: report ?? null,
    switchedAt: switchedAt?.toISOString() ?? null,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
  };
}
