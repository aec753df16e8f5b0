import type { Connections } from '@switchboard/connector-kit';
import { isHubError, type ConnectionWithSecrets } from '@switchboard/contracts';
import { onEvent, type BusLog, type ScheduledTask, type Subscription } from '@switchboard/event-bus';
import { runAsTenant } from '@switchboard/tenant-context';
import { randomUUID } from 'node:crypto';
import type { DueReconciliation, Reconciliations } from '../store/reconciliations.ts';
import { lookThrough, overlapMs, type LookDeps } from './look-through.ts';

export type ReconcilerOptions = LookDeps & {
  readonly name: string;
  readonly reconciliations: Reconciliations;
  readonly connections: Pick<Connections, 'load'>;
  readonly log: BusLog;
  /** Between two looks at a connection. */
  readonly everyMs: number;
  /** From 0 to 1: spreads the looks. */
  readonly random: () => number;
};

/** Connections that one process looks through at once. */
const atOnce = 4;
/** Milliseconds of one run of the task, which comes every minute, and looks at one connection after the other until then. */
const runMs = 45_000;
/** Milliseconds: no look takes so long; another process goes on after it where one has died. */
const leaseMs = 10 * 60_000;
/** Looks that a connection which fails is put off by, at most: with an hour between them, a day. */
const putOffMax = 24;

/** Milliseconds until a connection with more missed messages than a look takes is looked at again. */
const behindMs = 60_000;

/** Which connections there are, and the work on them. */
export function createReconciler(options: ReconcilerOptions): { readonly consumers: readonly Subscription[]; readonly tasks: readonly ScheduledTask[] } {
  const { name, reconciliations, now, everyMs, random } = options;
  return {
    consumers: [onEvent({
      type: 'connection.changed',
      group: `${name}-reconcile`,
      effect: 'transaction',
      async handle({ eventId, occurredAt, payload: { connectionId, provider, status } }) {
        if (provider !== 'twilio') return;
        // What came before it was connected is none of the hub's, or another connection's: the first look goes back to that and no further.
        if (status === 'active') await reconciliations.follow(connectionId, eventId, new Date(Date.parse(occurredAt) + overlapMs), new Date(now().getTime() + everyMs * random()));
        else await reconciliations.forget(connectionId);
      },
    })],
    tasks: [{ name: 'reconcile-messages', cron: '* * * * *', run: () => run(options) }],
  };
}

async function run(options: ReconcilerOptions): Promise<void> {
  const { reconciliations, now } = options;
  const end = now().getTime() + runMs;
  const owner = randomUUID();
  const loop = async () => {
    while (now().getTime() < end) {
      const due = await reconciliations.takeDue(owner, now(), leaseMs);
      if (due === undefined) return;
      await runAsTenant(due.tenantId, () => reconcile(due, owner, options));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));
}

async function reconcile(due: DueReconciliation, owner: string, options: ReconcilerOptions): Promise<void> {
  const { reconciliations, connections, now, everyMs, random, log } = options;
  const { connectionId } = due;
  const spread = (ms: number) => new Date(now().getTime() + ms * (0.9 + 0.2 * random()));
  try {
    const connection = await connections.load(connectionId);
    if (!isFollowed(connection)) return await reconciliations.forget(connectionId);
    const { lookedUntil, isBehind } = await lookThrough(due, connection, options);
    // Not got on: what it has published must be taken in first.
    const nextAt = isBehind ? new Date(now().getTime() + (lookedUntil > due.lookedUntil ? 0 : behindMs)) : spread(everyMs);
    await reconciliations.settle(connectionId, owner, { lookedUntil, nextAt, failures: 0 });
  } catch (error) {
    if (isHubError(error) && error.code === 'connection.not_found') return reconciliations.forget(connectionId);
    // One tenant's refused credentials, or a defect that its messages meet, must not keep the others waiting.
    log.warn({ err: error, tenantId: due.tenantId, connectionId }, 'messages at Twilio could not be looked through');
    const failures = due.failures + 1;
    await reconciliations.settle(connectionId, owner, { nextAt: spread(everyMs * Math.min(putOffMax, 2 ** Math.min(failures - 1, 10))), failures });
  }
}

function isFollowed({ provider, status }: ConnectionWithSecrets): boolean {
  return provider === 'twilio' && status === 'active';
}
