import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { StartRefusal } from '../../packages/service-kit/src/index.ts';
import { findOldProvider, importedProviders, mergeAccounts, readFields, sharedOf, type OldAccount } from './accounts-of.ts';
import { credentialColumns, findColumns, flagOf, mappingColumns, textOf, whatsAppColumns } from './old-columns.ts';
import type { OldDatabase } from './open-old-database.ts';
import type { Options } from './parse-options.ts';
import { parseObject, type Assignment, type OldTenant } from './read-old-tenants.ts';
import type { Report } from './report.ts';

/** Numbers of one tenant that an import takes; more are a mistake in the column. */
const numbersMax = 1_000;

export type OldAccounts = {
  readonly accounts: readonly OldAccount[];
  /** Whether some conversations name no number. */
  readonly hasUnnumbered: boolean;
  readonly hasMappings: boolean;
};

/** All accounts of a tenant that the old tables, the .env file and the options tell of, each in one piece. */
export async function readOldAccounts(old: OldDatabase, assignment: Assignment, tenant: OldTenant, options: Options, report: Report): Promise<OldAccounts> {
  const stored = [...(await readWhatsAppConfig(old, assignment, report)), ...(await readCredentials(old, assignment, report))];
  const numbers = await readNumbers(old, assignment);
  const named = numbers.filter((number): number is string => number !== null);
  const told: OldAccount[] = [
    ...[...named, ...(options.phoneNumberId === undefined ? [] : [options.phoneNumberId])].map((phoneNumberId): OldAccount => ({ provider: 'whatsapp', fields: { phoneNumberId } })),
    ...(options.integrationId === undefined ? [] : [{ provider: 'genesys', fields: { integrationId: options.integrationId } } as const]),
  ];
  const ofInstallation = readEnvFile(options.oldEnvFile);
  const defaults: OldAccount[] = [
    // The account in the file is one tenant's, and which one's it does not say.
    ...(assignment.isOneOfSeveral ? ofInstallation.map(sharedOf) : ofInstallation),
    ...(tenant.region === undefined ? [] : [{ provider: 'genesys', fields: { region: tenant.region } } as const]),
  ];
  const accounts = mergeAccounts([...stored, ...told], defaults);
  return { accounts, hasUnnumbered: numbers.includes(null), hasMappings: numbers.length > 0 };
}

/** Distinct numbers of the tenant's conversations; null among them when some name none. Empty: there are no conversations. */
async function readNumbers(old: OldDatabase, { from }: Assignment): Promise<(string | null)[]> {
  const found = findColumns(mappingColumns, old.columnsOf('conversation_mappings') ?? new Set());
  const rows = await old.query<{ number: string | null }>(
    `select distinct nullif(trim(${textOf('c', found.phoneNumberId)}), '') as number from conversation_mappings c ${found.tenantId === undefined ? 'where $1::text is null or true' : `where ${textOf('c', found.tenantId)} = $1`} limit ${numbersMax + 1}`,
    [from],
  );
  if (rows.length > numbersMax) throw new StartRefusal(`The conversations name more than ${numbersMax} phone number ids: the column phone_number_id seems to hold something else.`);
  return rows.map(({ number }) => number);
}

async function readWhatsAppConfig(old: OldDatabase, { from }: Assignment, report: Report): Promise<OldAccount[]> {
  const columns = old.columnsOf('tenant_whatsapp_config');
  if (columns === undefined) return [];
  const found = findColumns(whatsAppColumns, columns);
  const rows = await old.query<{ phoneNumberId: string | null; wabaId: string | null; accessToken: string | null; isActive: boolean }>(
    `select ${textOf('t', found.phoneNumberId)} as "phoneNumberId", ${textOf('t', found.wabaId)} as "wabaId", ${textOf('t', found.accessToken)} as "accessToken", ${flagOf('t', found.isActive)} as "isActive"
       from tenant_whatsapp_config t ${ofTenant(found.tenantId)}`,
    [from],
  );
  return rows.flatMap(({ isActive, ...values }): OldAccount[] => {
    if (isActive) return [{ provider: 'whatsapp', fields: readFields('whatsapp', values).fields }];
    report.skip('credentials', { table: 'tenant_whatsapp_config', row: values.phoneNumberId ?? '', reason: 'is not active' });
    return [];
  });
}

async function readCredentials(old: OldDatabase, { from, to }: Assignment, report: Report): Promise<OldAccount[]> {
  const columns = old.columnsOf('tenant_credentials');
  if (columns === undefined) return [];
  const found = findColumns(credentialColumns, columns);
  if (found.type === undefined || found.credentials === undefined) {
    report.note('tenant_credentials has no credential_type or no credentials column; nothing of it is taken.');
    return [];
  }
  const rows = await old.query<{ type: string | null; credentials: string | null; isActive: boolean }>(
    `select ${textOf('t', found.type)} as type, ${textOf('t', found.credentials)} as credentials, ${flagOf('t', found.isActive)} as "isActive" from tenant_credentials t ${ofTenant(found.tenantId)}`,
    [from],
  );
  return rows.flatMap(({ type, credentials, isActive }): OldAccount[] => {
    const skip = (reason: string): OldAccount[] => {
      report.skip('credentials', { table: 'tenant_credentials', row: `${to} ${type}`, reason });
      return [];
    };
    if (!isActive) return skip('is not active');
    const provider = findOldProvider(type ?? '');
    if (provider === undefined) return skip(`the type is not known here; known are ${importedProviders.join(', ')}`);
    const values = parseObject(credentials);
    if (values === undefined) return skip('is no JSON object: if the old installation sealed it, give the plain values with --old-env');
    const { fields, unknown } = readFields(provider, values);
    if (unknown.length > 0) report.note(`${to}: fields of the ${type} credentials that are not taken: ${unknown.join(', ')}.`);
    return [{ provider, fields }];
  });
}

/** Accounts in the old installation's .env file: of each provider what it names. */
function readEnvFile(file: string | undefined): OldAccount[] {
  if (file === undefined) return [];
  let values: NodeJS.Dict<string>;
  try {
    values = parseEnv(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new StartRefusal(`The file of --old-env cannot be read: ${file}.`, { cause });
  }
  return importedProviders.map((provider) => ({ provider, fields: readFields(provider, values).fields })).filter(({ fields }) => Object.keys(fields).length > 0);
}

function ofTenant(column: string | undefined): string {
  return column === undefined ? 'where $1::text is null or true' : `where ${textOf('t', column)} = $1`;
}
