import { isHubError, newId, parseEnvelope, type Envelope } from '@switchboard/contracts';
import { runAsTenant, runWithTrace } from '@switchboard/tenant-context';
import type pg from 'pg';
import type { BusSchema } from './bus-schema.ts';
import type { Judgement } from './erased-tenants.ts';
import { effectTakenState } from './install/bus-functions-sql.ts';
import type { BusLog, ConsumerContext, FailureReason, Subscription, UnitOfWork } from './port.ts';
import { decideFate, type RetryPolicy } from './retry-policy.ts';

/** One event for one consumer group, as a driver has it. */
export type Consumable = {
  readonly group: string;
  /** Not parsed yet. */
  readonly envelope: unknown;
  /** 1 for the first try; tries that were throttled are not counted. */
  readonly attempt: number;
  /** When it began to wait for this group, in milliseconds since 1970: what is redriven begins anew. */
  readonly since: number;
  /** Row of `pending_events`, when the event comes from there. Leaves the table with the effect's transaction. */
  readonly pendingId?: string;
  readonly signal: AbortSignal;
  /** Whether the event has gone to another process in the meantime: its fate is decided there. */
  readonly isRevoked?: () => boolean;
};

/**
 * What became of one try.
 * - done: go on. `settled` says that the pending row is gone already; otherwise the driver removes it.
 * - retry: not before `afterMs`; the lane waits. `attempts` are the tries that count so far.
 * - dead: store a dead letter, then go on.
 */
export type Outcome =
  | { readonly kind: 'done'; readonly settled: boolean }
  | { readonly kind: 'retry'; readonly afterMs: number; readonly attempts: number; readonly error: FailureReason }
  | { readonly kind: 'dead'; readonly error: FailureReason };

/** Never throws: every failure is an outcome. */
export type ConsumeEvent = (consumable: Consumable) => Promise<Outcome>;

export type ConsumeParts = {
  readonly schema: BusSchema;
  readonly subscriptions: readonly Subscription[];
  readonly unitOfWork: UnitOfWork;
  /** Of the bus role: asks the inbox before an `external` handler. */
  readonly pool: pg.Pool;
  /** Whether an event is of a tenant that the service has erased. */
  readonly erasedTenants: { judge(event: Envelope): Promise<Judgement> };
  readonly retry: RetryPolicy;
  readonly log: BusLog;
};

/** Milliseconds until an event is tried again whose tenant may have been created anew under an erased one's id. */
const undecidedRetryMs = 2_000;

/** The third door by which a tenant enters: parses the envelope, restores its tenant and trace, runs the handler by its kind of effect, decides the fate of a failure. */
export function createConsumeEvent(parts: ConsumeParts): ConsumeEvent {
  const subscriptions = new Map(parts.subscriptions.map((subscription) => [`${subscription.group} ${subscription.type}`, subscription]));
  return async (consumable) => {
    let event: Envelope;
    try {
      event = parseEnvelope(consumable.envelope);
    } catch (error) {
      return { kind: 'dead', error: { code: 'request.invalid', message: `the envelope does not parse: ${messageOf(error)}` } };
    }
    const subscription = subscriptions.get(`${consumable.group} ${event.type}`);
    if (subscription === undefined) return { kind: 'done', settled: false };
    if (subscription.ofErased !== true && subscription.delivery !== 'broadcast') {
      const judgement = await parts.erasedTenants.judge(event);
      if (judgement === 'erased') return { kind: 'done', settled: false };
      const reason = { code: 'tenant.not_found', message: 'The tenant is erased; whether it was created anew is not known yet.' };
      if (judgement === 'undecided') return { kind: 'retry', afterMs: undecidedRetryMs, attempts: consumable.attempt - 1, error: reason };
    }
    const trace = { requestId: newId('req'), traceparent: event.traceparent, causedBy: event.eventId };
    return runAsTenant(event.tenantId, () => runWithTrace(trace, () => runHandler(parts, subscription, event, consumable)));
  };
}

async function runHandler(parts: ConsumeParts, subscription: Subscription, event: Envelope, consumable: Consumable): Promise<Outcome> {
  try {
    // A broadcast reaches every process, and the inbox would let it take effect in one.
    switch (subscription.delivery === 'broadcast' ? 'idempotent' : subscription.effect) {
      case 'transaction':
        return await runInTransaction(parts, subscription, event, consumable);
      case 'external':
        return await runExternal(parts, subscription, event, consumable);
      case 'idempotent':
        return await runIdempotent(parts, subscription, event, consumable);
    }
  } catch (error) {
    return await decideOutcome(parts, subscription, event, consumable, error);
  }
}

/** Nothing more to do; a pending row is left to the driver. */
const takenBefore: Outcome = { kind: 'done', settled: false };

async function runInTransaction(parts: ConsumeParts, subscription: Subscription, event: Envelope, consumable: Consumable): Promise<Outcome> {
  const { attempt, signal } = consumable;
  try {
    await parts.unitOfWork.transaction(async () => {
      recordEffect(parts, event, consumable);
      await subscription.handle(event, { attempt, signal, commit: (effect) => effect() });
    });
  } catch (error) {
    // A handler may fail before its first statement, with which the inbox is asked.
    if (isEffectTaken(error) || (await hasTakenEffect(parts, event, consumable.group))) return takenBefore;
    throw error;
  }
  return { kind: 'done', settled: true };
}

async function runExternal(parts: ConsumeParts, subscription: Subscription, event: Envelope, consumable: Consumable): Promise<Outcome> {
  if (await hasTakenEffect(parts, event, consumable.group)) return takenBefore;
  const once = onceCommitted(consumable, async (effect) => {
    try {
      await parts.unitOfWork.transaction(async () => {
        recordEffect(parts, event, consumable);
        await effect();
      });
      return 'settled';
    } catch (error) {
      if (!isEffectTaken(error)) throw error;
      return 'taken';
    }
  });
  return await handleOnce(parts, subscription, event, once);
}

async function runIdempotent(parts: ConsumeParts, subscription: Subscription, event: Envelope, consumable: Consumable): Promise<Outcome> {
  const { unitOfWork, schema } = parts;
  const { pendingId } = consumable;
  const once = onceCommitted(consumable, async (effect) => {
    await unitOfWork.transaction(async () => {
      if (pendingId !== undefined) unitOfWork.sql.enqueue(`select ${schema.name}.remove_pending($1)`, [pendingId]);
      await effect();
    });
    return 'settled';
  });
  return await handleOnce(parts, subscription, event, once);
}

/** A consumer's context, and what has become of its commit. */
type Once = { readonly context: ConsumerContext; committed: 'settled' | 'taken' | undefined };

function onceCommitted({ attempt, signal }: Consumable, commit: (effect: () => Promise<void>) => Promise<'settled' | 'taken'>): Once {
  let commits = 0;
  const once: Once = {
    committed: undefined,
    context: {
      attempt,
      signal,
      commit: async (effect) => {
        if (commits++ > 0) throw new Error('commit was called twice for one event');
        once.committed = await commit(effect);
      },
    },
  };
  return once;
}

async function handleOnce({ log }: ConsumeParts, subscription: Subscription, event: Envelope, once: Once): Promise<Outcome> {
  try {
    await subscription.handle(event, once.context);
  } catch (error) {
    if (once.committed === undefined) throw error;
    // The effect stands; trying again would do nothing, or do it twice.
    log.error({ err: error, eventId: event.eventId, group: subscription.group }, 'a consumer failed after its effect was committed');
  }
  return { kind: 'done', settled: once.committed === 'settled' };
}

/** Asked with the transaction's first statement. */
function recordEffect({ schema, unitOfWork }: ConsumeParts, event: Envelope, { group, pendingId }: Consumable): void {
  unitOfWork.sql.enqueue(`select ${schema.name}.record_effect($1, $2, $3)`, [group, event.eventId, pendingId ?? null]);
}

function isEffectTaken(error: unknown): boolean {
  for (let current: unknown = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth++) {
    if ('code' in current && current.code === effectTakenState) return true;
  }
  return false;
}

async function hasTakenEffect({ schema, pool }: ConsumeParts, event: Envelope, group: string): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'has_taken_effect',
    text: `select from ${schema.name}.inbox where tenant_id = $1 and consumer_group = $2 and event_id = $3`,
    values: [event.tenantId, group, event.eventId],
  });
  return rowCount === 1;
}

async function decideOutcome(parts: ConsumeParts, subscription: Subscription, event: Envelope, consumable: Consumable, error: unknown): Promise<Outcome> {
  const { retry, log } = parts;
  const { attempt, since } = consumable;
  // Erased while it was handled: what it would have done must not be done, and its dead letter would be a row of the tenant.
  if (subscription.ofErased !== true && (await parts.erasedTenants.judge(event)) !== 'kept') return { kind: 'done', settled: false };
  const fate = decideFate(error, { attempt, ageMs: Date.now() - since }, retry);
  const reason = reasonOf(error);
  const fields = { err: error, eventId: event.eventId, type: event.type, group: subscription.group, attempt };
  if (fate.kind === 'retry') {
    if (!isPlanned(error)) log.warn({ ...fields, afterMs: fate.afterMs }, 'a consumer failed; the event is tried again');
    return { ...fate, error: reason };
  }
  log.error(fields, 'a consumer failed; the event is a dead letter now');
  return consumable.isRevoked?.() === true ? { kind: 'dead', error: reason } : await giveUp(parts, subscription, event, consumable, reason);
}

/** It came before its time, and said when that is. */
function isPlanned(error: unknown): boolean {
  return isHubError(error) && typeof error.retry === 'object' && error.retry.planned === true;
}

/** Tells the consumer that the event is given up. A database that is away for a moment must not cost whoever waits the answer; a bug in it must not cost the dead letter. */
async function giveUp({ unitOfWork, retry, log }: ConsumeParts, subscription: Subscription, event: Envelope, { attempt }: Consumable, reason: FailureReason): Promise<Outcome> {
  try {
    // A broadcast has no dead letters.
    if (subscription.giveUp !== undefined && subscription.delivery !== 'broadcast') await unitOfWork.transaction(async () => subscription.giveUp?.(event, reason));
  } catch (error) {
    log.error({ err: error, eventId: event.eventId, type: event.type, group: subscription.group }, 'a consumer could not be told that its event is given up');
    // Judged as a first failure: the event's own tries and its time are used up already.
    const fate = decideFate(error, { attempt: 1, ageMs: 0 }, { ...retry, delayMs: () => retry.delayMs(attempt) });
    if (fate.kind === 'retry') return { ...fate, attempts: attempt, error: reasonOf(error) };
  }
  return { kind: 'dead', error: reason };
}

function reasonOf(error: unknown): FailureReason {
  return { code: isHubError(error) ? error.code : 'internal', message: messageOf(error) };
}

/** Long messages (a driver's query text, a provider's page) are cut: they stand in every row of a list. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 1_000);
}
