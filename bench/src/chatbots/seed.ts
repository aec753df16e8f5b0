import { newId, tenantIdSchema, type TenantId } from '@switchboard/contracts';
import { createEnvKeyProvider, createSecretBox, type KeyProvider, type SecretBox, type WrappedDataKey } from '@switchboard/secrets';
import { currentTenant, runAsTenant } from '@switchboard/tenant-context';
import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { accountsMax, botOf, configOf, hasOwnBot, knowledgeOf, type ChatbotTenant } from './onboard.ts';

// The API makes some 3 to 10 tenants a second here, with all that belongs to one: keys, checks at the provider, events, audit. Thousands are written
// into the tables instead, each as the first two that the API has made: one with the platform's bot, one with its own.

type Row = Record<string, unknown>;
type Facts = { routing_identifiers: Record<string, string>; settings: Record<string, string> };
type ConnectionRow = Row & Facts & { connection_id: string; provider: string; version: number };
type Template = { readonly tenant: Row; readonly connections: readonly ConnectionRow[]; readonly identifiers: readonly (Row & { provider: string })[]; readonly routes: readonly Row[]; readonly chatbot: Row; readonly version: Row };
type Batch = Record<'tenant.tenants' | 'tenant.connections' | 'tenant.owned_identifiers' | 'tenant.routes' | 'tenant.tenant_keys' | 'ingest.connections' | 'ingest.tenant_keys' | 'botpress.chatbot_knowledge' | 'botpress.chatbots' | 'botpress.chatbot_versions', Row[]>;
type Making = { readonly batch: Batch; readonly boxes: { readonly tenant: SecretBox; readonly ingest: SecretBox }; readonly platformIds: ReadonlyMap<number, string> };

const batchSize = 250;
/** Far from the numbers that inboxes have which the API has made. */
const firstInboxId = 1_000_000;

/** Tenants `from` to `to`, in the form that the API has given to `bench-0` and `bench-1`. */
export async function seedTenants(admin: Client, keyEncryptionKey: string, from: number, to: number): Promise<ChatbotTenant[]> {
  const templates = [await readTemplate(admin, 'bench-0'), await readTemplate(admin, 'bench-1')];
  const { rows } = await admin.query<{ id: string; account: string }>(`select platform_connection_id as id, settings ->> 'accountId' as account from tenant.platform_connections where provider = 'chatwoot'`);
  const platformIds = new Map(rows.map(({ id, account }) => [Number(account), id]));
  const keyProvider = createEnvKeyProvider(keyEncryptionKey);
  const made: ChatbotTenant[] = [];
  for (let first = from; first < to; first += batchSize) {
    const batch: Batch = { 'tenant.tenants': [], 'tenant.connections': [], 'tenant.owned_identifiers': [], 'tenant.routes': [], 'tenant.tenant_keys': [], 'ingest.connections': [], 'ingest.tenant_keys': [], 'botpress.chatbot_knowledge': [], 'botpress.chatbots': [], 'botpress.chatbot_versions': [] };
    const making = { batch, platformIds, boxes: { tenant: boxInto(batch['tenant.tenant_keys'], keyProvider), ingest: boxInto(batch['ingest.tenant_keys'], keyProvider) } };
    for (let index = first; index < Math.min(first + batchSize, to); index++) {
      const template = templates[hasOwnBot(index) ? 1 : 0];
      if (template === undefined) throw new Error('there is no template');
      made.push(await runAsTenant(tenantIdSchema.parse(`bench-${index}`), () => makeTenant(making, template, index)));
    }
    await admin.query('begin');
    for (const [table, values] of Object.entries(batch)) await admin.query(`insert into ${table} select * from jsonb_populate_recordset(null::${table}, $1::jsonb)`, [JSON.stringify(values)]);
    await admin.query('commit');
  }
  // As autovacuum would before long.
  for (const table of Object.keys({ ...emptyTables })) await admin.query(`analyze ${table}`);
  return made;
}

const emptyTables = { 'tenant.tenants': 0, 'tenant.connections': 0, 'tenant.owned_identifiers': 0, 'tenant.routes': 0, 'tenant.tenant_keys': 0, 'ingest.connections': 0, 'ingest.tenant_keys': 0, 'botpress.chatbots': 0, 'botpress.chatbot_knowledge': 0 };

async function readTemplate(admin: Client, tenantId: string): Promise<Template> {
  const read = async <T extends Row>(table: string) => (await admin.query<{ row: T }>(`select to_jsonb(t) as row from ${table} t where tenant_id = $1`, [tenantId])).rows.map(({ row }) => row);
  const [tenant] = await read('tenant.tenants');
  const [chatbot] = await read('botpress.chatbots');
  const [version] = await read('botpress.chatbot_versions');
  const [connections, identifiers, routes] = [await read<ConnectionRow>('tenant.connections'), await read<Row & { provider: string }>('tenant.owned_identifiers'), await read('tenant.routes')];
  if (tenant === undefined || chatbot === undefined || version === undefined || connections.length !== 2 || routes.length !== 1) throw new Error(`${tenantId} is not complete`);
  return { tenant, connections, identifiers, routes, chatbot, version };
}

async function makeTenant({ batch, boxes, platformIds }: Making, template: Template, index: number): Promise<ChatbotTenant> {
  const tenantId = currentTenant();
  const place: ChatbotTenant = { tenantId, accountId: (index % accountsMax) + 1, inboxId: firstInboxId + index };
  batch['tenant.tenants'].push({ ...template.tenant, tenant_id: tenantId, name: `Company ${index}` });
  const ids = new Map<string, string>();
  for (const connection of template.connections) {
    const connectionId = newId('con');
    ids.set(connection.connection_id, connectionId);
    const isChatwoot = connection.provider === 'chatwoot';
    const facts = isChatwoot ? inInbox(connection, place, platformIds.get(place.accountId)) : atBot(connection, connectionId, index);
    const credentials = isChatwoot || !hasOwnBot(index) ? {} : { encryptionKey: `key-of-${index}`, webhookSecret: `secret-of-company-${index}`, accessToken: `access-of-${index}` };
    const secret = isChatwoot ? `secret-of-account-${place.accountId}` : hasOwnBot(index) ? `secret-of-company-${index}` : 'secret-of-the-platform';
    batch['tenant.connections'].push({ ...connection, ...facts, tenant_id: tenantId, connection_id: connectionId, sealed_credentials: await sealed(boxes.tenant, credentials, 'sealed_credentials', connectionId) });
    batch['ingest.connections'].push({
      tenant_id: tenantId, connection_id: connectionId, provider: connection.provider, status: 'active', version: connection.version, updated_at: new Date(),
      routing_keys: Object.entries(facts.routing_identifiers).map(([name, value]) => `${connection.provider}|${name}|${value}`),
      sealed_secrets: await sealed(boxes.ingest, { webhookSecrets: [{ value: secret, expiresAt: null }], verifyToken: null }, 'sealed_secrets', connectionId),
    });
    const owned = template.identifiers.filter(({ provider }) => provider === connection.provider);
    batch['tenant.owned_identifiers'].push(...owned.map((row) => ({ ...row, tenant_id: tenantId, value: facts.routing_identifiers[String(row['name'])] })));
  }
  const renamed = (value: unknown) => (typeof value === 'string' ? (ids.get(value) ?? value) : value);
  batch['tenant.routes'].push(...template.routes.map((route) => ({ ...Object.fromEntries(Object.entries(route).map(([name, value]) => [name, renamed(value)])), tenant_id: tenantId })));
  pushChatbot(batch, template, tenantId, index);
  return place;
}

function pushChatbot(batch: Batch, { chatbot, version }: Template, tenantId: TenantId, index: number): void {
  const entries = knowledgeOf(index);
  const hash = createHash('sha256').update(JSON.stringify(entries)).digest('hex');
  const config = { ...(chatbot['config'] as object), ...configOf(index) }; // a config is an object
  const own = { tenant_id: tenantId, knowledge_hash: hash, config };
  batch['botpress.chatbot_knowledge'].push({ tenant_id: tenantId, hash, entries });
  batch['botpress.chatbots'].push({ ...chatbot, ...own });
  batch['botpress.chatbot_versions'].push({ ...version, ...own });
}

/** The first part of `inbox` is the server. */
function inInbox({ routing_identifiers: named, settings }: ConnectionRow, { accountId, inboxId }: ChatbotTenant, platformConnectionId: string | undefined): Facts & { platform_connection_id: string | undefined } {
  const server = (named['inbox'] ?? '').split('/').slice(0, -2).join('/');
  const key = `${accountId}/${inboxId}`;
  return {
    routing_identifiers: { ...named, inbox: `${server}/${key}`, sharedInbox: key, sharedInboxId: String(inboxId) },
    settings: { ...settings, inboxId: String(inboxId), ...(platformConnectionId === undefined ? {} : { platformConnectionId }) },
    platform_connection_id: platformConnectionId,
  };
}

function atBot({ routing_identifiers: named, settings }: ConnectionRow, connectionId: string, index: number): Facts {
  if (!hasOwnBot(index)) return { routing_identifiers: { ...named, session: connectionId }, settings };
  const server = (named['bot'] ?? '').split('/').slice(0, -1).join('/');
  return { routing_identifiers: { ...named, session: connectionId, bot: `${server}/${botOf(index)}` }, settings: { ...settings, webhookId: botOf(index), botId: botOf(index) } };
}

async function sealed(box: SecretBox, secrets: object, column: string, row: string): Promise<string> {
  return `\\x${(await box.seal(JSON.stringify(secrets), { table: 'connections', column, row })).toString('hex')}`;
}

/** Seals as a service does; the tenants' new keys become rows of its table. */
function boxInto(rows: Row[], keyProvider: KeyProvider): SecretBox {
  const keys = new Map<TenantId, WrappedDataKey>();
  return createSecretBox({
    keyProvider,
    dataKeys: {
      find: async () => [keys.get(currentTenant())].filter((key) => key !== undefined),
      async insert(key) {
        keys.set(currentTenant(), key);
        rows.push({ tenant_id: currentTenant(), data_key_id: key.dataKeyId, key_id: key.keyId, wrapped: `\\x${key.wrapped.toString('hex')}`, created_at: new Date() });
        return key;
      },
      replace: async () => false,
      destroy: async () => undefined,
    },
  });
}
