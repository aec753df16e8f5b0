import { newId, tenantIdSchema, type SyncJob, type SyncJobId, type SyncState, type TenantId } from '@switchboard/contracts';
import { currentTenant } from '@switchboard/tenant-context';
import type { BotpressDatabase } from './client.ts';
import type { ChatbotSyncJob } from './generated/client.ts';

/** A job that somebody runs: what it writes counts as long as nobody has taken it over. */
export type ClaimedJob = { readonly tenantId: TenantId; readonly jobId: SyncJobId; readonly claim: string; readonly attempts: number };
export type SyncEnd = { readonly state: 'succeeded' | 'skipped' | 'failed'; readonly reason?: string; readonly error?: { readonly code: string; readonly message: string } };

type Claimed = { readonly tenant_id: string; readonly job_id: SyncJobId; readonly attempts: number };

/** Rows of `chatbot_sync_jobs`: of the current tenant, but for `claim` and `nextDueAt`, which look over all. */
export function createSyncJobStore(db: BotpressDatabase) {
  const mine = ({ jobId, claim }: ClaimedJob) => ({ tenantId: currentTenant(), jobId, claim, state: 'running' });

  return {
    /**
     * Inside a transaction: the job that waits, made where none does. One that waits already is put off, but begins no later than `putOffMsMax`
     * after it was made.
     */
    async queue({ now, delayMs, putOffMsMax }: { readonly now: Date; readonly delayMs: number; readonly putOffMsMax: number }): Promise<SyncJob> {
      const dueAt = new Date(now.getTime() + delayMs);
      await lock(db);
      await db.sql.query(
        `insert into chatbot_sync_jobs (tenant_id, job_id, state, due_at, created_at) values ($1, $2, 'queued', $3::timestamptz, $4::timestamptz)
         on conflict (tenant_id) where state = 'queued' do update
         set due_at = least(excluded.due_at, chatbot_sync_jobs.created_at + $5::int * interval '1 millisecond')`,
        [currentTenant(), newId('job'), dueAt, now, putOffMsMax],
      );
      const row = await db.prisma.chatbotSyncJob.findFirstOrThrow({ where: { tenantId: currentTenant(), state: 'queued' } });
      return recordOf(row);
    },

    /** The one that runs, else the one that waits, else the last. */
    current: (): Promise<SyncJob | undefined> =>
      db.transaction(async () => {
        const tenantId = currentTenant();
        const row = (await db.prisma.chatbotSyncJob.findFirst({ where: { tenantId, state: 'running' } })) ?? (await db.prisma.chatbotSyncJob.findFirst({ where: { tenantId }, orderBy: { createdAt: 'desc' } }));
        return row === null ? undefined : recordOf(row);
      }),

    /** In system scope: the job of any tenant that has been due for longest, of those whose tenant has none running; also one that nobody has run any more since its claim ended. */
    claim: ({ now, until, claim }: { readonly now: Date; readonly until: Date; readonly claim: string }): Promise<ClaimedJob | undefined> =>
      db.transaction(async () => {
        const take = async (which: string) => {
          const [taken] = await db.sql.query<Claimed>(
            `update chatbot_sync_jobs set state = 'running', attempts = attempts + 1, claim = $3, claimed_until = $2::timestamptz, started_at = coalesce(started_at, $1::timestamptz)
             where (tenant_id, job_id) = (${which} limit 1 for update skip locked)
             returning tenant_id, job_id, attempts`,
            [now, until, claim],
          );
          return taken;
        };
        // Two statements: each goes along an index of its own, however many jobs wait.
        const row =
          (await take("select tenant_id, job_id from chatbot_sync_jobs where state = 'running' and claimed_until < $1::timestamptz order by claimed_until")) ??
          (await take(`select tenant_id, job_id from chatbot_sync_jobs as waiting where state = 'queued' and due_at <= $1::timestamptz
            and not exists (select from chatbot_sync_jobs as running where running.tenant_id = waiting.tenant_id and running.state = 'running') order by due_at`));
        return row === undefined ? undefined : { tenantId: tenantIdSchema.parse(row.tenant_id), jobId: row.job_id, claim, attempts: row.attempts };
      }),

    /** In system scope: when the next job of any tenant is due, or would have to be taken over. */
    nextDueAt: (): Promise<Date | undefined> =>
      db.transaction(async () => {
        const [row] = await db.sql.query<{ at: Date | null }>(
          `select least((select min(due_at) from chatbot_sync_jobs as waiting where state = 'queued' and not exists (select from chatbot_sync_jobs as running where running.tenant_id = waiting.tenant_id and running.state = 'running')),
                        (select min(claimed_until) from chatbot_sync_jobs where state = 'running')) as at`,
        );
        return row === undefined || row.at === null ? undefined : new Date(row.at);
      }),

    /** False: somebody else has it. */
    noteProgress: (job: ClaimedJob, progress: { readonly version: number; readonly done: number; readonly total: number; readonly until: Date }): Promise<boolean> =>
      db.transaction(async () => {
        const { version, done, total, until } = progress;
        return (await db.prisma.chatbotSyncJob.updateMany({ where: mine(job), data: { version, done, total, claimedUntil: until } })).count > 0;
      }),

    end: (job: ClaimedJob, { state, reason, error }: SyncEnd, at: Date): Promise<boolean> =>
      db.transaction(async () => {
        const data = { state, reason: reason ?? null, errorCode: error?.code ?? null, errorMessage: error?.message ?? null, finishedAt: at, claim: null, claimedUntil: null };
        const isEnded = (await db.prisma.chatbotSyncJob.updateMany({ where: mine(job), data })).count > 0;
        if (isEnded) await deleteOld(db);
        return isEnded;
      }),

    /** To be run again at `dueAt`. Where another one waits already that one is enough: false, and nothing was changed. */
    putBack: (job: ClaimedJob, { dueAt, error, attempts }: { readonly dueAt: Date; readonly error?: { readonly code: string; readonly message: string }; readonly attempts: number }): Promise<boolean> =>
      db.transaction(async () => {
        // Before it is looked for: no other can come in between.
        await lock(db);
        if ((await db.prisma.chatbotSyncJob.count({ where: { tenantId: currentTenant(), state: 'queued' } })) > 0) return false;
        const data = { state: 'queued', dueAt, attempts, claim: null, claimedUntil: null, ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message }) };
        await db.prisma.chatbotSyncJob.updateMany({ where: mine(job), data });
        return true;
      }),
  };
}
export type SyncJobStore = ReturnType<typeof createSyncJobStore>;

/** Jobs that have ended and are still shown to support; the oldest goes when another ends. */
const endedMax = 20;

async function lock(db: BotpressDatabase): Promise<void> {
  await db.sql.query("select pg_advisory_xact_lock(hashtextextended('chatbot sync ' || $1, 0))", [currentTenant()]);
}

async function deleteOld(db: BotpressDatabase): Promise<void> {
  await db.sql.query(
    `delete from chatbot_sync_jobs where tenant_id = $1 and state in ('succeeded', 'skipped', 'failed')
     and job_id not in (select job_id from chatbot_sync_jobs where tenant_id = $1 order by created_at desc limit $2)`,
    [currentTenant(), endedMax],
  );
}

function recordOf(row: ChatbotSyncJob): SyncJob {
  return {
    // The casts are safe: ids are made by `newId`, states are written here alone.
    jobId: row.jobId as SyncJobId,
    tenantId: currentTenant(),
    state: row.state as SyncState,
    version: row.version,
    progress: { done: row.done, total: row.total },
    attempts: row.attempts,
    error: row.errorCode === null ? null : { code: row.errorCode, message: row.errorMessage ?? '' },
    reason: row.reason,
    nextAttemptAt: row.state === 'queued' ? row.dueAt.toISOString() : null,
    createdAt: row.createdAt.toISOString(),
    startedAt: row.startedAt?.toISOString() ?? null,
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
