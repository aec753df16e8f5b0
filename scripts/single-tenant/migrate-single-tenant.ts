import type { Environment } from '../../packages/service-kit/src/index.ts';
import { runAsTenant, runWithActor } from '../../packages/tenant-context/src/index.ts';
import { importApiKeys } from './import-api-keys.ts';
import { importMappings } from './import-mappings.ts';
import { importMessages } from './import-messages.ts';
import { importAccount, importTenant, isKnownTenant } from './import-tenant.ts';
import { openOldDatabase, type OldDatabase } from './open-old-database.ts';
import { openTarget, type Target } from './open-target.ts';
import type { Options } from './parse-options.ts';
import { findPlaces, planAccounts, type Places, type PlannedAccount } from './plan-accounts.ts';
import { readOldAccounts } from './read-old-accounts.ts';
import { assertReadable, streamMappings, streamMessages } from './read-old-rows.ts';
import { assignTenants, noteOrphans, readOldTenant, type Assignment, type OldTenant } from './read-old-tenants.ts';
import { createReport, type Report } from './report.ts';

/**
 * Reads the tables of an old single-tenant deployment and makes of them tenants, connections, keys, conversations and messages. Every portion is one
 * transaction, and every id follows from the old one: broken off anywhere and run again, it goes on, and run a third time it does nothing. Returns the
 * report. Throws StartRefusal before anything is written when it is not plain what belongs where.
 */
export async function migrateSingleTenant(options: Options, environment: Environment): Promise<string> {
  const report = createReport(options.dryRun);
  const old = await openOldDatabase(options.from);
  try {
    assertReadable(old, report);
    const assignments = await assignTenants(old, options);
    await noteOrphans(old, report);
    const target = await openTarget(environment);
    try {
      // All plans before the first change: a tenant that cannot be placed refuses the whole run.
      const plans: TenantPlan[] = [];
      for (const assignment of assignments) plans.push(await asTenant(assignment, () => planTenant(old, target, assignment, options, report)));
      for (const plan of plans) await asTenant(plan.assignment, () => carryOut(old, target, plan, options, report));
    } finally {
      await target.close();
    }
  } finally {
    await old.close();
  }
  return report.text();
}

type TenantPlan = { readonly assignment: Assignment; readonly tenant: OldTenant; readonly isKnown: boolean; readonly accounts: readonly PlannedAccount[]; readonly places: Places };

function asTenant<T>({ to }: Assignment, work: () => Promise<T>): Promise<T> {
  return runWithActor({ kind: 'admin', subject: 'migrate:single-tenant', from: null }, () => runAsTenant(to, work));
}

async function planTenant(old: OldDatabase, { tenants }: Target, assignment: Assignment, options: Options, report: Report): Promise<TenantPlan> {
  const isKnown = await isKnownTenant(tenants);
  const tenant = await readOldTenant(old, assignment, options, report);
  const accounts = await readOldAccounts(old, assignment, tenant, options, report);
  const connections = await tenants.connections.list();
  const planned = planAccounts(assignment.to, accounts, connections, report);
  return { assignment, tenant, isKnown, accounts: planned, places: findPlaces(assignment.to, accounts, planned, connections, options) };
}

async function carryOut(old: OldDatabase, target: Target, { assignment, tenant, isKnown, accounts, places }: TenantPlan, options: Options, report: Report): Promise<void> {
  const { tenants, state } = target;
  const { dryRun } = options;
  report.count('tenants', 'read');
  if (!isKnown && !dryRun) await importTenant(tenants, assignment.to, tenant, report);
  report.count('tenants', isKnown ? 'alreadyThere' : 'imported');
  for (const account of accounts) {
    report.count('credentials', 'read');
    if (!dryRun) await importAccount(tenants, account, options, report);
    report.count('credentials', account.existing === undefined ? 'imported' : 'alreadyThere');
  }
  await importApiKeys(old, tenants, assignment, dryRun, report);

  const { desk } = places;
  if (desk === undefined) return;
  const known = { ...places, desk };
  const seen = new Set<string>();
  for await (const rows of streamMappings(old, assignment)) {
    report.count('mappings', 'read', rows.length);
    await importMappings(state, rows, known, seen, dryRun, report);
  }
  if (old.columnsOf('message_tracking') === undefined) return;
  for await (const rows of streamMessages(old, assignment)) {
    report.count('messages', 'read', rows.length);
    await importMessages(state, rows, known, dryRun, report);
  }
}
