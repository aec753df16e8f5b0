import type { ConsumeEvent } from '../consume-event.ts';
import type { DriverFigures } from '../driver.ts';
import type { WorkResult } from '../ordering/fair-scheduler.ts';
import type { BusLog } from '../port.ts';
import type { TakenRecord } from './group-consumer.ts';
import { laneOf, type LaneEvent, type ParkedLanes } from './parked-lanes.ts';

export type ConsumeRecordParts = {
  readonly group: string;
  readonly consume: ConsumeEvent;
  readonly parking: ParkedLanes;
  /** Lanes of the group that may have parked events; resolves when they are loaded for the partitions at hand. */
  readonly parked: () => Promise<Set<string>>;
  readonly signal: AbortSignal;
  readonly figures: DriverFigures;
  readonly log: BusLog;
};

/** Tries in the process before an event is parked: a lock or a connection lost for a moment needs no detour over the database. */
const quickTries = 2;
/** A longer wait than this is not spent holding back the partition's commit. */
const quickWaitMsMax = 1_000;
/** Waits before what could not be written down is tried again. */
const storageRetryMs = 1_000;

/** Makes the work of one record: parked when its lane is parked, run otherwise, parked when it keeps failing. Never rejects. */
export function createRecordWork(parts: ConsumeRecordParts, record: TakenRecord, event: LaneEvent): () => Promise<WorkResult> {
  const { consume, parking, signal, figures, group, log } = parts;
  const since = Date.now();
  let attempts = 0;
  let quick = 0;

  async function run(): Promise<WorkResult> {
    const lanes = await parts.parked();
    if (record.isRevoked()) return undefined;
    const lane = laneOf(event);
    if (lanes.has(lane)) {
      if (await parking.follow(event)) return undefined;
      lanes.delete(lane);
    }
    const outcome = await consume({ group, envelope: event.envelope, attempt: attempts + 1, since, signal, isRevoked: () => record.isRevoked() });
    // Its fate is the new owner's to decide: a parked copy would run beside the record that is delivered there, and side by side both may send.
    if (outcome.kind !== 'done' && record.isRevoked()) return undefined;
    switch (outcome.kind) {
      case 'done':
        figures.handled++;
        return undefined;
      case 'dead':
        await parking.bury(event, attempts + 1, outcome.error);
        figures.failed++;
        return undefined;
      case 'retry':
        attempts = outcome.attempts;
        figures.retried++;
        if (++quick < quickTries && outcome.afterMs <= quickWaitMsMax) return { againAfterMs: outcome.afterMs };
        await parking.park(event, attempts, outcome.afterMs, outcome.error);
        lanes.add(lane);
        return undefined;
    }
  }

  return async () => {
    if (record.isRevoked()) return undefined;
    figures.inFlight++;
    try {
      const result = await run();
      if (result === undefined) record.finish();
      return result;
    } catch (error) {
      log.warn({ err: error, group }, 'the outcome of an event could not be stored; it is tried again');
      return { againAfterMs: storageRetryMs };
    } finally {
      figures.inFlight--;
    }
  };
}
