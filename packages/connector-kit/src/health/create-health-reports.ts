import { newId, type ConnectionId, type Envelope, type PayloadOf, type ProviderId, type TenantId } from '@switchboard/contracts';
import type { BusLog, EventBus } from '@switchboard/event-bus';
import { runAsSystem } from '@switchboard/tenant-context';

type Account = { readonly tenantId: TenantId; readonly connectionId: ConnectionId; readonly provider: ProviderId };
type Seen = Omit<PayloadOf<'connection.health'>, 'connectionId' | 'provider'>;

/** What this process sees of connections, told as `connection.health`. Noting costs a look into a map; what is not told yet is lost with the process. */
export interface HealthReports {
  note(account: Account, seen: Seen): void;
  /** Tells what was noted. */
  flush(): Promise<void>;
  /** Tells what has been noted for long enough, a few at a time; `start` does so each second. */
  tellDue(): Promise<void>;
  start(): void;
  /** Tells what is left. */
  stop(): Promise<void>;
}

/** Milliseconds between two reports on a connection by a process: an indication for people, not a measurement. */
const reportEveryMs = 30_000;
/**
 * Connections told a second: 10 000 busy ones must not cost the bus more than a dozen events, and not all of a half minute at once, which the messages
 * would wait behind. The others wait for their turn.
 */
const reportedASecondMax = 12;
const reportedAtOnceMax = 400;
/** Connections that wait to be told of; more are not noted. Some hundred bytes each. */
const notedMax = 50_000;

export function createHealthReports({ bus, log, now }: { readonly bus: Pick<EventBus, 'publishMany'>; readonly log: BusLog; readonly now: () => Date }): HealthReports {
  const noted = new Map<ConnectionId, Account & { readonly dueAt: number; seen: Seen }>();
  let timer: NodeJS.Timeout | undefined;

  async function tell(due: readonly (Account & { readonly seen: Seen })[]): Promise<void> {
    if (due.length === 0) return;
    for (const { connectionId } of due) noted.delete(connectionId);
    const occurredAt = now().toISOString();
    try {
      await runAsSystem('reports on connections of many tenants', () => bus.publishMany(due.map((report) => envelopeOf(report, occurredAt))));
    } catch (error) {
      // Nobody waits for it, and the next one says as much.
      log.warn({ err: error, connections: due.length }, 'how connections do could not be told');
    }
  }

  const flush = () => tell([...noted.values()].slice(0, reportedAtOnceMax));

  async function tellDue(): Promise<void> {
    const until = now().getTime();
    const due: (Account & { readonly seen: Seen })[] = [];
    // In the order in which they are due.
    for (const report of noted.values()) {
      if (report.dueAt > until || due.length === reportedASecondMax) break;
      due.push(report);
    }
    await tell(due);
  }

  return {
    note(account, seen) {
      const known = noted.get(account.connectionId);
      if (known !== undefined) known.seen = { ...known.seen, ...seen };
      else if (noted.size < notedMax) noted.set(account.connectionId, { tenantId: account.tenantId, connectionId: account.connectionId, provider: account.provider, dueAt: now().getTime() + reportEveryMs, seen });
    },
    flush,
    tellDue,
    start() {
      timer ??= setInterval(() => void tellDue(), 1_000).unref();
    },
    async stop() {
      clearInterval(timer);
      await flush();
    },
  };
}

function envelopeOf({ tenantId, connectionId, provider, seen }: Account & { readonly seen: Seen }, occurredAt: string): Envelope<'connection.health'> {
  return { eventId: newId('evt'), type: 'connection.health', version: 1, tenantId, occurredAt, orderingKey: connectionId, payload: { connectionId, provider, ...seen } };
}
