/** Names that a fact has in the published versions of the old tables, the usual one first. */
export type ColumnNames<Fact extends string> = Readonly<Record<Fact, readonly string[]>>;

/** Which column holds a fact; undefined where the table has none of its names. */
export type FoundColumns<Fact extends string> = Readonly<Record<Fact, string | undefined>>;

export const mappingColumns = {
  id: ['id', 'mapping_id', 'conversation_id'],
  tenantId: ['tenant_id'],
  waId: ['wa_id'],
  conversationId: ['conversation_id'],
  contactName: ['contact_name'],
  phoneNumberId: ['phone_number_id'],
  status: ['status'],
  activityAt: ['last_activity_at', 'updated_at'],
  createdAt: ['created_at'],
} as const satisfies ColumnNames<string>;

export const messageColumns = {
  id: ['id', 'message_id', 'wamid', 'meta_message_id'],
  tenantId: ['tenant_id'],
  mappingId: ['mapping_id'],
  conversationId: ['conversation_id'],
  waId: ['wa_id'],
  channelMessageId: ['wamid', 'meta_message_id', 'whatsapp_message_id'],
  deskMessageId: ['genesys_message_id'],
  direction: ['direction'],
  status: ['status'],
  createdAt: ['created_at', 'sent_at', 'timestamp'],
  deliveredAt: ['delivered_at', 'updated_at'],
  text: ['text', 'body', 'content', 'message_text'],
  type: ['message_type', 'type'],
  mediaUrl: ['media_url'],
  metadata: ['metadata'],
} as const satisfies ColumnNames<string>;

export const tenantColumns = {
  tenantId: ['tenant_id', 'id'],
  name: ['name'],
  subdomain: ['subdomain'],
  status: ['status'],
  plan: ['plan'],
  rateLimit: ['rate_limit'],
  metadata: ['metadata'],
  region: ['genesys_region'],
} as const satisfies ColumnNames<string>;

export const credentialColumns = {
  tenantId: ['tenant_id'],
  type: ['credential_type', 'type', 'provider'],
  credentials: ['credentials', 'credential_data'],
  isActive: ['is_active'],
} as const satisfies ColumnNames<string>;

export const whatsAppColumns = {
  tenantId: ['tenant_id'],
  phoneNumberId: ['phone_number_id'],
  wabaId: ['waba_id'],
  accessToken: ['access_token'],
  isActive: ['is_active'],
} as const satisfies ColumnNames<string>;

export const apiKeyColumns = {
  tenantId: ['tenant_id'],
  apiKey: ['api_key', 'key'],
  name: ['name'],
  isActive: ['is_active'],
  expiresAt: ['expires_at'],
  lastUsedAt: ['last_used_at', 'last_used'],
  createdAt: ['created_at'],
} as const satisfies ColumnNames<string>;

export function findColumns<Fact extends string>(names: ColumnNames<Fact>, columns: ReadonlySet<string>): FoundColumns<Fact> {
  // The cast is safe: the entries are exactly one for each fact.
  return Object.fromEntries(Object.entries<readonly string[]>(names).map(([fact, candidates]) => [fact, candidates.find((name) => columns.has(name))])) as FoundColumns<Fact>;
}

/** Columns that nothing is taken from. */
export function ignoredColumns(found: FoundColumns<string>, columns: ReadonlySet<string>): string[] {
  const taken = new Set(Object.values(found));
  return [...columns].filter((name) => !taken.has(name)).toSorted();
}

/** The column as text in SQL, under the fact's name; null where the table has none. `alias` is the table's. */
export function textOf(alias: string, column: string | undefined): string {
  return column === undefined ? 'null::text' : `${alias}."${column}"::text`;
}

export function timeOf(alias: string, column: string | undefined): string {
  return column === undefined ? 'null::timestamptz' : `${alias}."${column}"::timestamptz`;
}

export function flagOf(alias: string, column: string | undefined): string {
  return column === undefined ? 'true' : `coalesce(${alias}."${column}"::boolean, true)`;
}
