import type { Column, Table } from './read-tables.ts';

/**
 * An INSERT of some row of a tenant, made from the table's columns alone. `samples` gives SQL for columns whose CHECK constraints want a certain
 * value: `{ state: "'open'" }`.
 */
export function sampleRow(schema: string, table: Table, tenantId: string, samples: Readonly<Record<string, string>>): string {
  const columns = table.columns.filter((column) => column.isRequired || column.name in samples);
  const values = columns.map((column) => (column.name === 'tenant_id' ? `'${tenantId}'` : (samples[column.name] ?? sampleValue(column))));
  return `insert into ${schema}."${table.name}" (${columns.map(({ name }) => `"${name}"`).join(', ')}) values (${values.join(', ')})`;
}

function sampleValue({ name, type, enumValues }: Column): string {
  if (enumValues.length > 0) return `'${enumValues[0]}'`;
  if (type.endsWith('[]')) return `'{}'`;
  const value = values[type];
  if (value === undefined) throw new Error(`No sample value for column "${name}" of type ${type}: give one by describeDatabaseOfService(…, { samples: { "${name}": "…" } }).`);
  return value;
}

const values: Readonly<Record<string, string>> = {
  'text': `'x'`,
  'character varying': `'x'`,
  'uuid': 'gen_random_uuid()',
  'smallint': '1',
  'integer': '1',
  'bigint': '1',
  'numeric': '1',
  'real': '1',
  'double precision': '1',
  'boolean': 'true',
  'date': 'current_date',
  'timestamp with time zone': 'now()',
  'timestamp without time zone': 'now()',
  'json': `'{}'`,
  'jsonb': `'{}'`,
  'bytea': `'\\x00'`,
  'inet': `'127.0.0.1'`,
};
