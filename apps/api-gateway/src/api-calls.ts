import { recordApiCalls, type BodyInputOf, type TenantId } from '@switchboard/contracts';
import type { Kit } from '@switchboard/service-kit';
import { runAsSystem } from '@switchboard/tenant-context';
import { randomUUID } from 'node:crypto';

export interface ApiCalls {
  /** One call of this tenant, for its usage. */
  count(tenantId: TenantId): void;
  /** What was counted since the last time, at most as much as one batch holds; undefined when there is nothing. */
  drain(): Batch | undefined;
  /** Sends what was counted to tenant-service; says nothing when that does not answer: the next time sends it again. */
  flush(): Promise<void>;
  start(): void;
  /** Ends the regular sending and sends the rest. */
  stop(): Promise<void>;
}

type Batch = BodyInputOf<typeof recordApiCalls>;

const flushEveryMs = 5_000;
/** Milliseconds: a month begins at a quarter of an hour wherever it begins, so that calls of one slot are of one month. */
const slotMs = 15 * 60_000;
/** Tenants and slots in one batch: what the route takes. */
const batchMax = 5_000;

/**
 * Counts calls in memory and hands them on in batches. A batch keeps its id until it was answered, so that it counts once however often it is sent;
 * meanwhile counting goes on in memory, where it takes a number for each tenant and quarter of an hour. What was not sent when the process is killed is lost.
 */
export function createApiCalls({ callRoute, log, now }: Pick<Kit<unknown, unknown>, 'callRoute' | 'log' | 'now'>): ApiCalls {
  const slots = new Map<number, Map<TenantId, number>>();
  let unanswered: Batch | undefined;
  let sending: Promise<void> | undefined;
  let timer: NodeJS.Timeout | undefined;

  function drain(): Batch | undefined {
    const calls: Batch['calls'] = [];
    for (const [slot, counts] of slots) {
      for (const [tenantId, count] of counts) {
        if (calls.length === batchMax) return { batchId: randomUUID(), calls };
        calls.push({ tenantId, count, at: new Date(slot * slotMs).toISOString() });
        counts.delete(tenantId);
      }
      slots.delete(slot);
    }
    return calls.length === 0 ? undefined : { batchId: randomUUID(), calls };
  }

  async function send(): Promise<void> {
    for (;;) {
      const batch = (unanswered ??= drain());
      if (batch === undefined) return;
      await runAsSystem('a batch holds calls of many tenants', () => callRoute('tenant-service', recordApiCalls, { body: batch }));
      unanswered = undefined;
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

  return {
    count(tenantId) {
      const slot = Math.floor(now().getTime() / slotMs);
      let counts = slots.get(slot);
      if (counts === undefined) slots.set(slot, (counts = new Map()));
      counts.set(tenantId, (counts.get(tenantId) ?? 0) + 1);
    },
    drain,
    flush,
    start() {
      timer = setInterval(() => void flush(), flushEveryMs);
      timer.unref();
    },
    async stop() {
      clearInterval(timer);
      // The sending that is under way, and then what was counted since it began.
      await flush();
      await flush();
    },
  };
}
