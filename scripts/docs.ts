import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCatalogue, eventCatalogue, gatewayRoutes, topicOf, type EventType } from '../packages/contracts/src/index.ts';
import { kitConfigSchema, openApiOf, variablesOf } from '../packages/service-kit/src/index.ts';
import { services } from '../apps/standalone/src/services.ts';

/** Writes what is generated from the code into docs/; with --check says which file is out of date and fails. */
const documents: Record<string, string> = {
  'events.md': eventsDocument(),
  'errors.md': errorsDocument(),
  'env.md': environmentDocument(),
  'openapi.json': `${JSON.stringify(openApiOf(gatewayRoutes, { title: 'Switchboard', version: '0.1.0', servers: ['http://127.0.0.1:3000'] }), null, 2)}\n`,
};

const docs = join(import.meta.dirname, '..', 'docs');
const stale = Object.entries(documents).filter(([name, text]) => !existsSync(join(docs, name)) || readFileSync(join(docs, name), 'utf8') !== text);
if (process.argv.includes('--check')) {
  for (const [name] of stale) process.stderr.write(`docs/${name} is out of date; run npm run docs.\n`);
  process.exitCode = stale.length === 0 ? 0 : 1;
} else {
  for (const [name, text] of stale) {
    writeFileSync(join(docs, name), text);
    console.log(`docs/${name} written`);
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`).replaceAll('\n', ' ')).join(' | ')} |`;
}

function head(...columns: string[]): string[] {
  return [row(columns), row(columns.map(() => '---'))];
}

function eventsDocument(): string {
  const entries = Object.entries(eventCatalogue) as [EventType, (typeof eventCatalogue)[EventType]][];
  const overview = entries.map(([type, entry]) => row([`\`${topicOf(type)}\``, entry.kind, entry.says, entry.orderedBy, String(entry.partitions), `${entry.retentionDays} d`]));
  const schemas = new Map<unknown, EventType[]>();
  for (const [type, entry] of entries) schemas.set(entry.schema, [...(schemas.get(entry.schema) ?? []), type]);
  const payloads = [...schemas].flatMap(([schema, types]) => [`### ${types.map((type) => `\`${type}\``).join(', ')}`, '', ...head('field', 'required', 'form'), ...fieldsOf(schema as z.ZodType), '']);
  return [
    '# Events',
    '',
    'Generated from `packages/contracts/src/events.ts` by `npm run docs`; do not edit.',
    '',
    'The Kafka record key is the tenant id; the partition is chosen from a slice of the topic that belongs to the tenant, by the ordering key.',
    'Every event travels in an envelope: `eventId, type, version, tenantId, occurredAt, traceparent?, causedBy?, orderingKey, payload`.',
    '',
    ...head('topic', 'kind', 'says', 'ordered by', 'partitions', 'retention'),
    ...overview,
    '',
    '## Payloads',
    '',
    ...payloads,
  ].join('\n');
}

type JsonSchema = { type?: string | string[]; properties?: Record<string, JsonSchema>; required?: string[]; enum?: unknown[]; const?: unknown; items?: JsonSchema; anyOf?: JsonSchema[]; oneOf?: JsonSchema[]; pattern?: string; format?: string; description?: string };

function fieldsOf(schema: z.ZodType): string[] {
  const json = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
  return Object.entries(json.properties ?? {}).map(([name, field]) => row([`\`${name}\``, json.required?.includes(name) ? 'yes' : '', formOf(field)]));
}

function formOf(field: JsonSchema): string {
  if (field.enum) return field.enum.map((value) => `\`${String(value)}\``).join(', ');
  const variants = field.oneOf ?? field.anyOf;
  if (variants) {
    const kinds = variants.map((variant) => variant.properties?.['kind']?.const).filter((kind) => kind !== undefined);
    return kinds.length > 0 ? `by \`kind\`: ${kinds.map((kind) => `\`${String(kind)}\``).join(', ')}` : variants.map(formOf).join(' or ');
  }
  if (field.type === 'array') return `list of ${formOf(field.items ?? {})}`;
  if (field.type === 'object' && field.properties) return `{ ${Object.keys(field.properties).join(', ')} }`;
  return [String(field.type ?? 'any'), field.format ?? (field.pattern && `\`${field.pattern}\``)].filter(Boolean).join(' ');
}

function errorsDocument(): string {
  return [
    '# Errors',
    '',
    'Generated from `packages/contracts/src/errors.ts` by `npm run docs`; do not edit.',
    '',
    'Every error is `application/problem+json` (RFC 9457) with `type, title, status, detail, code, requestId`, and `error` (= title) for simple clients.',
    '',
    ...head('code', 'status', 'title', 'way out', 'an event that fails with it'),
    ...Object.entries(errorCatalogue).map(([code, entry]) => row([`\`${code}\``, String(entry.status), entry.title, entry.fix, entry.retry === 'later' ? 'is tried again' : 'is not tried again'])),
    '',
  ].join('\n');
}

function environmentDocument(): string {
  const variables = (schema: z.ZodObject) => [
    ...head('variable', 'what it is', 'default', 'required'),
    ...variablesOf(schema).map((variable) => row([`\`${variable.name}\``, `${variable.description}${variable.secret ? ' (secret)' : ''}`, variable.defaultValue === undefined || variable.defaultValue === '' ? '' : `\`${variable.defaultValue}\``, variable.required ? 'yes' : ''])),
    '',
  ];
  return [
    '# Environment variables',
    '',
    'Generated from the services\' `config.ts` by `npm run docs`; do not edit. A secret may be given as `<NAME>_FILE` with the path of a file that holds it.',
    '',
    '## Every service',
    '',
    ...variables(kitConfigSchema),
    ...services.flatMap((service) => (Object.keys(service.config.shape).length === 0 ? [] : [`## ${service.name}`, '', ...variables(service.config)])),
    '## `npm start` and `npm run services`',
    '',
    ...head('variable', 'what it is', 'default'),
    row(['`SWITCHBOARD_HOME`', 'folder with all state of the embedded mode', '`.switchboard`']),
    row(['`ADMIN_KEY`', 'the platform\'s key, instead of the one in the home folder', '']),
    row(['`LOG_LEVEL`', 'the least level that is logged', '`warn`']),
    row(['`<SERVICE>_PORT`', 'port of one service, e.g. `API_GATEWAY_PORT`', 'see `npm start`']),
    row(['`DATABASE_ADMIN_URL`', '`npm run services`: a Postgres of your own, as a role that may create roles and schemas', 'one is started']),
    row(['`KAFKA_BROKERS`', '`npm run services`: a Kafka of your own', 'one is started']),
    row(['`REDIS_URL`', '`npm run services`: a Redis of your own', 'one is started where redis-server is installed']),
    '',
    '## `scripts/migrate.ts`',
    '',
    ...head('variable', 'what it is', 'default'),
    row(['`DATABASE_ADMIN_URL`', 'a Postgres role that may create roles and schemas (secret)', '']),
    row(['`DATABASE_ROLE_PASSWORD`', 'the password of the services\' own roles (secret)', '']),
    row(['`<ROLE>_PASSWORD`', 'the password of one role, e.g. `SWITCHBOARD_TENANT_PASSWORD` (secret)', '`DATABASE_ROLE_PASSWORD`']),
    row(['`SERVICES`', 'a comma list: only these services\' schemas, where each has its own server', 'all']),
    '',
  ].join('\n');
}
