import { isHubError, type HubError } from '@switchboard/contracts';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { randomUUID } from 'node:crypto';
import type { ClaimedJob, SyncJobStore } from '../../store/chatbot-sync-jobs.ts';
import type { RunSync } from './run-sync.ts';

/** Runs sync jobs in the background, `parallel` at once in this process, one of a tenant in all of them. */
export interface SyncWorker {
  /** Looks for jobs after this time; the sooner of two wins. */
  wake(inMs: number): void;
  /** Ends the regular looking, breaks off what runs, and waits for it: another process goes on with it. */
  stop(): Promise<void>;
}

export type SyncWorkerOptions = {
  readonly jobs: SyncJobStore;
  readonly run: RunSync;
  readonly parallel: number;
  readonly log: { warn(fields: object, message: string): void };
  readonly now: () => Date;
};

/** Milliseconds after the last word of a job for which it is its process's; then that one is taken for dead. Longer than any single call. */
const leaseMs = 60_000;
/** Milliseconds after a job in which its place stays empty: ten thousand in a row leave the processor to the webhooks, and are done within some hours. */
const restMs = 250;
/** Milliseconds between two words on how far a job is: with each of a thousand documents it would be a thousand writes. */
const noteEveryMs = 1_000;
const attemptsMax = 8;
const firstDelayMs = 30_000;
const delayMsMax = 3_600_000;

class Stopped extends Error {}

export function createSyncWorker({ jobs, run, parallel, log, now }: SyncWorkerOptions): SyncWorker {
  const underWay = new Set<Promise<void>>();
  const stopping = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let wakesAt = Infinity;
  let isLooking = false;
  let isAskedAgain = false;

  function wake(inMs: number): void {
    const at = Date.now() + inMs;
    if (stopping.signal.aborted || at >= wakesAt) return;
    wakesAt = at;
    clearTimeout(timer);
    timer = setTimeout(() => {
      wakesAt = Infinity;
      void look();
    }, inMs);
    timer.unref();
  }

  /** Begins what is due as far as there is room. */
  async function look(): Promise<void> {
    if (isLooking) {
      isAskedAgain = true;
      return;
    }
    isLooking = true;
    try {
      do {
        isAskedAgain = false;
        while (!stopping.signal.aborted && underWay.size < parallel) {
          const job = await runAsSystem('the next sync job is of whichever tenant has waited longest', () => jobs.claim({ now: now(), until: leaseEnd(), claim: randomUUID() }));
          if (job === undefined) break;
          begin(job);
        }
      } while (isAskedAgain && !stopping.signal.aborted);
      if (!stopping.signal.aborted && underWay.size < parallel) await wakeForNext();
    } catch (error) {
      // The next tick of the clock looks again.
      log.warn({ err: error }, 'sync jobs could not be looked for');
    } finally {
      isLooking = false;
    }
  }

  async function wakeForNext(): Promise<void> {
    const next = await runAsSystem('the next sync job is of whichever tenant has waited longest', () => jobs.nextDueAt());
    if (next !== undefined) wake(Math.max(100, next.getTime() - now().getTime()));
  }

  function begin(job: ClaimedJob): void {
    const work = runAsTenant(job.tenantId, () => finish(job))
      .catch((error: unknown) => log.warn({ err: error, jobId: job.jobId }, 'a sync job could not be settled; it is taken up again'))
      .then(() => sleepUnless(stopping.signal, restMs))
      .catch(() => undefined) // stopped
      .finally(() => {
        underWay.delete(work);
        wake(0);
      });
    underWay.add(work);
  }

  async function finish(job: ClaimedJob): Promise<void> {
    let notedAt = 0;
    try {
      const outcome = await run({
        note: async (progress) => {
          if (stopping.signal.aborted) throw new Stopped();
          const at = Date.now();
          const isEnd = progress.done === 0 || progress.done === progress.total;
          if (!isEnd && at - notedAt < noteEveryMs) return;
          notedAt = at;
          if (!(await jobs.noteProgress(job, { ...progress, until: leaseEnd() }))) throw new Stopped();
        },
        sleep: (ms) => sleepUnless(stopping.signal, ms),
      });
      await jobs.end(job, outcome.kind === 'pushed' ? { state: 'succeeded' } : { state: 'skipped', reason: outcome.reason }, now());
    } catch (error) {
      await settleFailure(job, error);
    }
  }

  async function settleFailure(job: ClaimedJob, error: unknown): Promise<void> {
    if (error instanceof Stopped) {
      // Nobody's fault: the try does not count.
      await jobs.putBack(job, { dueAt: now(), attempts: job.attempts - 1 });
      return;
    }
    const said = { code: isHubError(error) ? error.code : 'internal', message: isHubError(error) ? error.publicMessage : 'Something went wrong in the hub.' };
    if (!isHubError(error)) log.warn({ err: error, jobId: job.jobId }, 'a sync job failed by a defect');
    const afterMs = isHubError(error) && job.attempts < attemptsMax ? delayOf(error, job.attempts) : undefined;
    const isWaiting = afterMs !== undefined && (await jobs.putBack(job, { dueAt: new Date(now().getTime() + afterMs), error: said, attempts: job.attempts }));
    // Where a newer job waits that one pushes all that this one would have.
    if (!isWaiting) await jobs.end(job, { state: 'failed', error: said }, now());
  }

  const leaseEnd = () => new Date(now().getTime() + leaseMs);

  return {
    wake,
    async stop() {
      stopping.abort();
      clearTimeout(timer);
      await Promise.all(underWay);
    },
  };
}

/** Milliseconds until the next try; undefined where there is no use in one. Half of it is random: what failed together does not come back together. */
function delayOf({ retry }: HubError, attempts: number): number | undefined {
  if (retry === 'never') return undefined;
  const wholeMs = Math.min(delayMsMax, firstDelayMs * 2 ** (attempts - 1));
  const ownMs = wholeMs / 2 + Math.random() * (wholeMs / 2);
  return retry === 'later' ? ownMs : Math.max(ownMs, retry.afterMs);
}

function sleepUnless(signal: AbortSignal, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Stopped());
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      if (signal.aborted) reject(new Stopped());
      else resolve();
    }
  });
}
