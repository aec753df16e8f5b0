import { plans, rateLimitDefault, subdomainPattern, tenantIdPattern, type Plan, type TenantId } from '../../packages/contracts/src/index.ts';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';
import { findColumns, tenantColumns, textOf } from './old-columns.ts';
import type { OldDatabase } from './open-old-database.ts';
import type { Options } from './parse-options.ts';
import type { Report } from './report.ts';

/** One tenant to import. `from` is its id in the old tables; null where they know no tenants. */
export type Assignment = { readonly from: string | null; readonly to: TenantId; /** Others are imported in the same run: what names no tenant is not this one's. */ readonly isOneOfSeveral: boolean };

export type OldTenant = {
  readonly name: string;
  readonly subdomain: string | null;
  readonly status: 'active' | 'suspended';
  readonly plan: Plan;
  readonly rateLimit: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Genesys region, which the old tables keep here and not with the credentials. */
  readonly region: string | undefined;
};

const tenantTables = ['tenants', 'conversation_mappings', 'message_tracking', 'tenant_credentials', 'tenant_whatsapp_config', 'tenant_api_keys'] as const;

/** Whose rows must say which tenant's they are where there are several; a message is its mapping's tenant's. */
const ownedTables = ['conversation_mappings', 'tenant_credentials', 'tenant_whatsapp_config', 'tenant_api_keys'] as const satisfies readonly (typeof tenantTables)[number][];

/** Named in a refusal; the others are not. */
const tenantsNamedMax = 20;

/** Which old tenant becomes which of ours. Throws StartRefusal where the tables and the options do not say. */
export async function assignTenants(old: OldDatabase, { tenant, fromTenant, phoneNumberId, integrationId }: Options): Promise<Assignment[]> {
  const known = await oldTenantIds(old);
  const named = known.slice(0, tenantsNamedMax).join(', ');
  if (tenant !== undefined) {
    if (known.length === 0) return [{ from: null, to: tenant, isOneOfSeveral: false }];
    const from = fromTenant ?? (known.includes(tenant) || known.length > 1 ? tenant : known[0]);
    if (from === undefined || !known.includes(from)) throw new StartRefusal(`The old database has no tenant "${from}"; it has ${named}. Say with --from-tenant which one becomes ${tenant}.`);
    return [{ from, to: tenant, isOneOfSeveral: false }];
  }
  if (known.length === 0) throw new StartRefusal('The old tables name no tenants: say with --tenant which one they become.');
  const undivided = known.length > 1 ? ownedTables.find((table) => old.columnsOf(table)?.has('tenant_id') === false) : undefined;
  if (undivided !== undefined) throw new StartRefusal(`${undivided} has no tenant_id, and there are the tenants ${named}: say with --tenant whose its rows are.`);
  if (known.length > 1 && (phoneNumberId ?? integrationId) !== undefined) throw new StartRefusal(`--phone-number-id and --integration-id name an account of one tenant, and there are the tenants ${named}: say with --tenant whose it is.`);
  const unusable = known.find((id) => !tenantIdPattern.test(id));
  if (unusable !== undefined) throw new StartRefusal(`The old tenant id "${unusable}" is none here: import it with --tenant <new id> --from-tenant "${unusable}", and the others one by one.`);
  // The cast is safe: the pattern of tenant ids was just asked.
  return known.map((from) => ({ from, to: from as TenantId, isOneOfSeveral: known.length > 1 }));
}

async function oldTenantIds(old: OldDatabase): Promise<string[]> {
  const selects = tenantTables.flatMap((table) => {
    const columns = old.columnsOf(table);
    const column = columns && (table === 'tenants' ? findColumns(tenantColumns, columns).tenantId : columns.has('tenant_id') ? 'tenant_id' : undefined);
    return column === undefined ? [] : [`select ${textOf('t', column)} as id from ${table} t`];
  });
  if (selects.length === 0) return [];
  const rows = await old.query<{ id: string }>(`select distinct id from (${selects.join(' union all ')}) as ids where id is not null order by id`);
  return rows.map(({ id }) => id);
}

/** Says how many rows name no tenant in tables that know tenants: they are nobody's, and stay behind. */
export async function noteOrphans(old: OldDatabase, report: Report): Promise<void> {
  for (const table of ['conversation_mappings', 'message_tracking'] as const) {
    if (old.columnsOf(table)?.has('tenant_id') !== true) continue;
    const [row] = await old.query<{ count: string }>(`select count(*) as count from ${table} where tenant_id is null`);
    if (row !== undefined && row.count !== '0') report.note(`${table}: ${row.count} rows name no tenant; they stay behind.`);
  }
}

/** The record of a tenant as ours would have it; what does not fit is left at its default, with a note. */
export async function readOldTenant(old: OldDatabase, { from, to }: Assignment, options: Options, report: Report): Promise<OldTenant> {
  const columns = old.columnsOf('tenants');
  const found = findColumns(tenantColumns, columns ?? new Set());
  const [row] =
    columns === undefined || found.tenantId === undefined || from === null
      ? []
      : await old.query<Row>(
          `select ${textOf('t', found.name)} as name, ${textOf('t', found.subdomain)} as subdomain, ${textOf('t', found.status)} as status, ${textOf('t', found.plan)} as plan,
                  ${textOf('t', found.rateLimit)} as "rateLimit", ${textOf('t', found.metadata)} as metadata, ${textOf('t', found.region)} as region
             from tenants t where ${textOf('t', found.tenantId)} = $1`,
          [from],
        );
  const { name, subdomain, status, plan, rateLimit, metadata, region } = row ?? {};
  const knownPlan = plans.find((known) => known === plan?.toLowerCase());
  if (knownPlan === undefined) report.note(`${to}: ${plan ? `the plan "${plan}" is not known here; taken as` : 'no plan is known; taken as'} ${options.plan}.`);
  const isActive = ['active', 'trial', undefined].includes(status?.toLowerCase() ?? undefined);
  if (!isActive) report.note(`${to}: the status "${status}" is not active; the tenant is suspended.`);
  const isLabel = subdomainPattern.test(subdomain ?? '');
  if (subdomain && !isLabel) report.note(`${to}: the subdomain "${subdomain}" is no DNS label; left out.`);
  const limit = Number(rateLimit);
  return {
    name: name?.trim().slice(0, 200) || to,
    subdomain: isLabel ? (subdomain ?? null) : null,
    status: isActive ? 'active' : 'suspended',
    plan: knownPlan ?? options.plan,
    rateLimit: Number.isInteger(limit) && limit >= 1 && limit <= 10_000_000 ? limit : rateLimitDefault,
    metadata: parseObject(metadata) ?? {},
    region: region ?? undefined,
  };
}

type Row = { readonly [K in 'name' | 'subdomain' | 'status' | 'plan' | 'rateLimit' | 'metadata' | 'region']: string | null };

/** A JSON object; undefined for anything else. */
export function parseObject(text: string | null | undefined): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text ?? '');
    // The cast is safe: an object that is no array, as JSON made it.
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
