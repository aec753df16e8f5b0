import { newId } from '@switchboard/contracts';
import type { Client } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { startSync, type ChatbotTenant, type Place } from './onboard.ts';

/** Has the knowledge of all tenants pushed, in no order; returns when it is under way. The jobs are written as the API would write them. */
export async function startSyncOfAll(admin: Client, place: Place, tenants: readonly ChatbotTenant[]): Promise<void> {
  const ids = tenants.map(() => newId('job'));
  await admin.query(
    `insert into botpress.chatbot_sync_jobs (tenant_id, job_id, state, due_at, created_at)
     select tenant_id, job_id, 'queued', now() - random() * interval '1 hour', now() from unnest($1::text[], $2::text[]) as wanted (tenant_id, job_id) on conflict do nothing`,
    [tenants.map(({ tenantId }) => tenantId), ids],
  );
  await startSync(place, tenants[0]?.tenantId ?? '');
}

/** Takes away what has not begun, waits for what has; returns how many have ended, and how many of them were pushed. */
export async function stopSyncOfAll(admin: Client): Promise<{ readonly waiting: number; readonly ended: number; readonly pushed: number }> {
  const { rowCount } = await admin.query(`delete from botpress.chatbot_sync_jobs where state = 'queued'`);
  for (let tries = 0; tries < 300; tries++) {
    const { rows } = await admin.query<{ running: number }>(`select count(*)::int as running from botpress.chatbot_sync_jobs where state = 'running'`);
    if (rows[0]?.running === 0) break;
    await sleep(100);
  }
  const { rows } = await admin.query<{ ended: number; pushed: number }>(`select count(*)::int as ended, (count(*) filter (where state = 'succeeded'))::int as pushed from botpress.chatbot_sync_jobs where state <> 'queued'`);
  await admin.query('delete from botpress.chatbot_sync_jobs');
  return { waiting: rowCount ?? 0, ended: rows[0]?.ended ?? 0, pushed: rows[0]?.pushed ?? 0 };
}
