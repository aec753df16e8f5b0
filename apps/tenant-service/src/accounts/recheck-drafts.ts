import type { Kit } from '@switchboard/service-kit';
import { runAsSystem, runAsTenant } from '@switchboard/tenant-context';
import { checkDraft } from './check-draft.ts';
import type { AccountDependencies } from './dependencies.ts';
import { checkLeaseMs } from './post-draft.ts';

/** Drafts that one round takes; the others wait for the next minute. */
const draftsPerRound = 20;

/** Asks providers again about credentials they had not confirmed, whatever their tenants; called every minute. One tenant's trouble stops no other's. */
export async function recheckDrafts(deps: AccountDependencies, log: Kit<unknown, unknown>['log']): Promise<void> {
  const due = await runAsSystem('credentials of all tenants that wait for their provider', async () => {
    await deps.previousSecrets.deleteExpired(deps.now());
    return await deps.connections.claimDueDrafts(deps.now(), checkLeaseMs, draftsPerRound);
  });
  const checks = await Promise.allSettled(due.map(({ tenantId, connectionId }) => runAsTenant(tenantId, () => checkDraft(deps, { connectionId, actor: 'hub', waitMs: 0 }))));
  for (const [index, check] of checks.entries()) {
    if (check.status === 'rejected') log.warn({ connectionId: due[index]?.connectionId, err: check.reason }, 'credentials could not be checked again');
  }
}
