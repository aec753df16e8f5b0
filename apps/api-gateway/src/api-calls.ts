import { recordApiCalls, tenantIdSchema, type BodyInputOf, type TenantId } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { randomUUID } from 'node:crypto';
import type { CallJournal, Counts } from './call-journal.ts';

export interface ApiCalls {
  /** One call of this tenant, for its usage. */
  count(tenantId: TenantId): void;
  /** Sends what was counted to tenant-service; says nothing when that does not answer: the next time sends it again. */
  flush(): Promise<void>;
  /** Sends what gateways that are no more have left in the journal. */
  takeOver(): Promise<void>;
  start(): void;
  /** Ends the regular sending and sends the rest. */
  stop(): Promise<void>;
}

/** Counts under one name: as long as it is open they grow, then they are sent until they are recorded. */
type Batch = {
  readonly batchId: string;
  readonly counts: Map<string, number>;
  /** Fields that the journal does not have yet. */
  readonly changed: Set<string>;
  /** When it was first written to the journal, or last with success; undefined when it never was. */
  keptAt: number | undefined;
  /** The connection over which everything of it was written; another one may have forgotten some of it. */
  connection: number;
};

const flushEveryMs = 1_000;
const takeOverEveryMs = 10_000;
/** Milliseconds after which a batch that nobody has spoken of is another gateway's to send. */
export const leftAfterMs = 30_000;
/** Milliseconds after its last writing for which a batch takes more: well before another may have sent it. */
const openForMs = 10_000;
/** Milliseconds: a month begins at a quarter of an hour wherever it begins, so that calls of one slot are of one month. */
const slotMs = 15 * 60_000;
/** Tenants and slots in one batch: what the route takes. */
const batchMax = 5_000;
/** Writings that may wait for the journal's answer; above it is slow, and is told the sums later. */
const writingsMax = 100;

type ApiCallsKit = Pick<Kit<unknown, unknown>, 'callRoute' | 'log' | 'now'> & { readonly journal?: CallJournal | undefined };

/**
 * Counts calls in memory and hands them on in batches. A batch has its id before its first call and keeps it until it was recorded, so that it counts once,
 * however often and by whomever it is sent. The journal has the sums of each batch before a call is answered (nobody waits for it): when this process is killed,
 * another gateway sends them. Without a journal, or while it is away, a kill loses what was counted since the last flush.
 */
export function createApiCalls({ callRoute, log, now, journal }: ApiCallsKit): ApiCalls {
  let open = newBatch();
  /** Oldest first. */
  const closed: Batch[] = [];
  let writings = 0;
  let isWritingDue = false;
  let sending: Promise<void> | undefined;
  const timers: NodeJS.Timeout[] = [];

  function write(batch: Batch, counts: Counts): void {
    const connection = journal?.connection() ?? 0;
    if (journal === undefined || connection === 0 || writings >= writingsMax) {
      batch.connection = 0;
      return;
    }
    writings++;
    const at = Date.now();
    batch.keptAt ??= at;
    journal
      .keep(batch.batchId, counts)
      .then(
        () => void (batch.keptAt = at),
        () => void (batch.connection = 0),
      )
      .finally(() => writings--);
  }

  function writeChanged(batch: Batch): void {
    if (batch.changed.size === 0) return;
    const counts = new Map([...batch.changed].map((field) => [field, batch.counts.get(field) ?? 0]));
    batch.changed.clear();
    write(batch, counts);
  }

  /** Tells the journal that the batch is still ours, and all of it where some may be missing. */
  function renew(batch: Batch): void {
    const connection = journal?.connection() ?? 0;
    if (batch.counts.size === 0 || connection === 0) return;
    const isWhole = batch.connection === connection;
    batch.connection = connection;
    write(batch, isWhole ? new Map() : batch.counts);
  }

  function close(): void {
    writeChanged(open);
    closed.push(open);
    open = newBatch(journal?.connection());
  }

  async function record(batchId: string, counts: Counts): Promise<void> {
    await runAsSystem('a batch holds calls of many tenants', () => callRoute('tenant-service', recordApiCalls, { body: { batchId, calls: callsOf(counts) } }));
  }

  async function send(): Promise<void> {
    await sendClosed();
    // Not before: while nobody answers, what is counted stays one batch.
    if (open.counts.size > 0) close();
    await sendClosed();
  }

  async function sendClosed(): Promise<void> {
    for (let batch = closed[0]; batch !== undefined; batch = closed[0]) {
      await record(batch.batchId, batch.counts);
      closed.shift();
      // Should that fail it is sent once more, under its name.
      if (batch.keptAt !== undefined) journal?.forget(batch.batchId).catch(() => undefined);
    }
  }

  const flush = async () => {
    try {
      await (sending ??= send().finally(() => {
        sending = undefined;
      }));
    } catch (error) {
      log.warn({ err: error }, 'API calls were not recorded; they are sent again');
    }
  };

  const takeOver = async () => {
    if (journal === undefined || journal.connection() === 0) return;
    try {
      for (const { batchId, counts } of await journal.findLeft()) {
        if (batchId === open.batchId || closed.some((batch) => batch.batchId === batchId)) continue;
        if (counts.size > 0) await record(batchId, counts);
        await journal.forget(batchId);
        log.info({ batchId }, 'API calls that another gateway had counted were recorded');
      }
    } catch (error) {
      log.warn({ err: error }, 'API calls that another gateway had counted were not recorded; they are sent again');
    }
  };

  return {
    count(tenantId) {
      const field = `${Math.floor(now().getTime() / slotMs)} ${tenantId}`;
      const isFull = open.counts.size === batchMax && !open.counts.has(field);
      // Held up for so long that another gateway may have it: what it has sent is all that there is under this name.
      const isPast = open.keptAt !== undefined && Date.now() - open.keptAt > openForMs;
      if (isFull || isPast) close();
      open.counts.set(field, (open.counts.get(field) ?? 0) + 1);
      if (journal === undefined) return;
      open.changed.add(field);
      if (isWritingDue) return;
      isWritingDue = true;
      // Not in each call: one writing for those that were let in together. Sent before any of them can be answered: answers come with a later turn of the loop.
      queueMicrotask(() => {
        isWritingDue = false;
        writeChanged(open);
      });
    },
    flush,
    takeOver,
    start() {
      const tick = () => {
        for (const batch of [open, ...closed]) renew(batch);
        void flush();
      };
      timers.push(setInterval(tick, flushEveryMs), setInterval(() => void takeOver(), takeOverEveryMs));
      for (const timer of timers) timer.unref();
    },
    async stop() {
      for (const timer of timers) clearInterval(timer);
      // The sending that is under way, and then what was counted since it began.
      await flush();
      await flush();
    },
  };
}

function newBatch(connection = 0): Batch {
  return { batchId: randomUUID(), counts: new Map(), changed: new Set(), keptAt: undefined, connection };
}

function callsOf(counts: Counts): BodyInputOf<typeof recordApiCalls>['calls'] {
  return [...counts].map(([field, count]) => {
    const [slot, tenantId] = field.split(' ');
    return { tenantId: tenantIdSchema.parse(tenantId), count, at: new Date(Number(slot) * slotMs).toISOString() };
  });
}
