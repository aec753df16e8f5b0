/** The published tables of a deployment that had learned of tenants: ids are UUIDs, messages name their mapping. Filled by `fillOldDeployment`. */
export const dividedTables = `
  create table tenants (tenant_id varchar(50) primary key, name varchar(255) not null, subdomain varchar(100) unique, status varchar(20) default 'active', plan varchar(50) default 'standard',
    rate_limit integer default 100, genesys_region varchar(100), created_at timestamp default current_timestamp, metadata jsonb);
  create table tenant_credentials (id serial primary key, tenant_id varchar(50) references tenants, credential_type varchar(50) not null, credentials jsonb not null, is_active boolean default true);
  create table tenant_whatsapp_config (id serial primary key, tenant_id varchar(50) references tenants, waba_id varchar(100) not null, phone_number_id varchar(100) not null, access_token text not null, is_active boolean default true);
  create table tenant_api_keys (api_key varchar(300) primary key, tenant_id varchar(50) references tenants, name varchar(255), is_active boolean default true, created_at timestamp default current_timestamp, last_used timestamp);
  create table conversation_mappings (id uuid primary key default gen_random_uuid(), tenant_id varchar(50), wa_id varchar(50) not null, conversation_id varchar(100), communication_id varchar(100),
    contact_name varchar(255), phone_number_id varchar(50), status varchar(20) not null default 'active', last_activity_at timestamp not null, created_at timestamp not null default now());
  create table message_tracking (id uuid primary key default gen_random_uuid(), tenant_id varchar(50), mapping_id uuid not null, wamid varchar(100), genesys_message_id varchar(100), direction varchar(20) not null,
    status varchar(20) not null, media_url text, delivered_at timestamp, created_at timestamp not null default now(), metadata jsonb);`;

/** The published tables of the first versions: one company, ids count up, messages name the Genesys conversation. */
export const undividedTables = `
  create table conversation_mappings (id serial primary key, wa_id varchar(50) unique not null, conversation_id varchar(100) unique not null, contact_name varchar(255), phone_number_id varchar(50),
    display_phone_number varchar(50), created_at timestamp default current_timestamp, updated_at timestamp default current_timestamp, status varchar(20) default 'active', metadata jsonb);
  create table message_tracking (id serial primary key, conversation_id varchar(100) not null, meta_message_id varchar(100), genesys_message_id varchar(100), direction varchar(10) not null,
    status varchar(20) default 'pending', created_at timestamp default current_timestamp, delivered_at timestamp, metadata jsonb);`;

/**
 * 20 000 mappings and 80 000 messages of acme and globex, half each, whose contacts have the same numbers in pairs. A message's metadata says whose
 * it is, so that a test can see one that went to the other.
 */
export const dividedRows = `
  insert into conversation_mappings (id, tenant_id, wa_id, conversation_id, contact_name, phone_number_id, status, last_activity_at, created_at)
    select md5('mapping' || n)::uuid, case when n % 2 = 0 then 'acme' else 'globex' end, '4915' || lpad((n / 2)::text, 8, '0'), md5('conversation' || n), 'Contact ' || n,
           case when n % 2 = 0 then '1000000001' else '1000000002' end, case when n % 10 < 2 then 'closed' else 'active' end, timestamp '2026-02-01' + n * interval '1 second', timestamp '2026-01-01' + n * interval '1 second'
      from generate_series(0, 19999) n;
  insert into message_tracking (tenant_id, mapping_id, wamid, genesys_message_id, direction, status, created_at, delivered_at, metadata)
    select case when n % 2 = 0 then 'acme' else 'globex' end, md5('mapping' || n % 20000)::uuid, 'wamid.' || n, 'genesys-' || n, case when (n / 20000) % 2 = 0 then 'INBOUND' else 'OUTBOUND' end,
           case when (n / 20000) % 2 = 0 then 'processed' else 'delivered' end, timestamp '2026-01-02' + n * interval '1 second', timestamp '2026-01-02' + (n + 2) * interval '1 second',
           jsonb_build_object('owner', case when n % 2 = 0 then 'acme' else 'globex' end, 'n', n)
      from generate_series(0, 79999) n;`;

/** Rows that no import can take, or not as rows of their own. */
export const brokenRows = `
  update conversation_mappings set phone_number_id = null where id = md5('mapping1')::uuid;
  insert into conversation_mappings (id, tenant_id, wa_id, conversation_id, phone_number_id, status, last_activity_at)
    values (md5('older')::uuid, 'acme', '+49 15 0000 0000', 'an-older-conversation', '1000000001', 'expired', '2025-01-01'), (md5('empty')::uuid, 'acme', ' ', 'of-nobody', '1000000001', 'active', '2026-01-01');
  insert into message_tracking (tenant_id, mapping_id, wamid, direction, status, metadata) values
    ('acme', md5('mapping0')::uuid, 'wamid.sideways', 'sideways', 'sent', null),
    ('acme', md5('nobody')::uuid, 'wamid.nobody', 'INBOUND', 'sent', null),
    ('acme', md5('mapping0')::uuid, 'wamid.0', 'INBOUND', 'sent', '{"again": true}'),
    ('acme', md5('mapping1')::uuid, 'wamid.mixed', 'INBOUND', 'sent', '{"owner": "acme, at a mapping of globex"}');`;
