-- CreateTable
CREATE TABLE "tenants" (
    "tenant_id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "subdomain" TEXT,
    "status" TEXT NOT NULL DEFAULT 'active',
    "plan" TEXT NOT NULL,
    "rate_limit" INTEGER NOT NULL,
    "metadata" JSONB NOT NULL,
    "time_zone" TEXT,
    "routes_version" INTEGER NOT NULL DEFAULT 0,
    "routes_source" TEXT NOT NULL DEFAULT 'automatic',
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenants_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "api_keys" (
    "tenant_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "scopes" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6),
    "revoked_at" TIMESTAMPTZ(6),
    "last_used_at" TIMESTAMPTZ(6),

    CONSTRAINT "api_keys_pkey" PRIMARY KEY ("tenant_id","key_id")
);

-- CreateTable
CREATE TABLE "connections" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "routing_identifiers" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "sealed_credentials" BYTEA,
    "handshake_token_hash" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("tenant_id","connection_id")
);

-- CreateTable
CREATE TABLE "connection_drafts" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "draft_id" TEXT NOT NULL,
    "routing_identifiers" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "sealed_credentials" BYTEA NOT NULL,
    "handshake_token_hash" TEXT,
    "reason" TEXT NOT NULL,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "next_check_at" TIMESTAMPTZ(6),
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connection_drafts_pkey" PRIMARY KEY ("tenant_id","connection_id")
);

-- CreateTable
CREATE TABLE "previous_webhook_secrets" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "secret_id" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "previous_webhook_secrets_pkey" PRIMARY KEY ("tenant_id","connection_id","secret_id")
);

-- CreateTable
CREATE TABLE "owned_identifiers" (
    "tenant_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "value" TEXT NOT NULL,
    "proof" TEXT NOT NULL,

    CONSTRAINT "owned_identifiers_pkey" PRIMARY KEY ("tenant_id","provider","name","value")
);

-- CreateTable
CREATE TABLE "routes" (
    "tenant_id" TEXT NOT NULL,
    "channel_connection_id" TEXT NOT NULL,
    "bot_connection_id" TEXT,
    "desk_connection_id" TEXT,
    "starts_with" TEXT NOT NULL,
    "settings" JSONB NOT NULL,

    CONSTRAINT "routes_pkey" PRIMARY KEY ("tenant_id","channel_connection_id")
);

-- CreateTable
CREATE TABLE "audit_entries" (
    "tenant_id" TEXT NOT NULL,
    "audit_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "facts" JSONB NOT NULL,

    CONSTRAINT "audit_entries_pkey" PRIMARY KEY ("tenant_id","audit_id")
);

-- CreateTable
CREATE TABLE "tenant_keys" (
    "tenant_id" TEXT NOT NULL,
    "data_key_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_keys_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_subdomain_key" ON "tenants"("subdomain");

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_key_id_key" ON "api_keys"("key_id");

-- CreateIndex
CREATE INDEX "connections_connection_id_idx" ON "connections"("connection_id");

-- CreateIndex
CREATE INDEX "connections_handshake_token_hash_idx" ON "connections"("handshake_token_hash");

-- CreateIndex
CREATE INDEX "connections_routing_identifiers_idx" ON "connections" USING GIN ("routing_identifiers" jsonb_path_ops);

-- CreateIndex
CREATE INDEX "connection_drafts_next_check_at_idx" ON "connection_drafts"("next_check_at");

-- CreateIndex
CREATE INDEX "connection_drafts_handshake_token_hash_idx" ON "connection_drafts"("handshake_token_hash");

-- CreateIndex
CREATE UNIQUE INDEX "owned_identifiers_provider_name_value_key" ON "owned_identifiers"("provider", "name", "value");

-- AddForeignKey
ALTER TABLE "connection_drafts" ADD CONSTRAINT "connection_drafts_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "connection_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "previous_webhook_secrets" ADD CONSTRAINT "previous_webhook_secrets_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "connection_id") ON DELETE CASCADE ON UPDATE CASCADE;


-- Isolation: each row is its tenant's. The second argument opens a table to the service's system role: resolving keys and webhooks and listing
-- tenants happen before a tenant is known, re-checking drafts goes over all tenants.
select switchboard.protect_tenant_table('tenant.tenants', system => true);
select switchboard.protect_tenant_table('tenant.api_keys', system => true);
select switchboard.protect_tenant_table('tenant.connections', system => true);
select switchboard.protect_tenant_table('tenant.connection_drafts', system => true);
select switchboard.protect_tenant_table('tenant.previous_webhook_secrets', system => true);
select switchboard.protect_tenant_table('tenant.owned_identifiers', system => true);
select switchboard.protect_tenant_table('tenant.routes');
select switchboard.protect_tenant_table('tenant.audit_entries');
select switchboard.protect_tenant_table('tenant.tenant_keys');

-- Append-only: what was done cannot be undone by who did it.
revoke update, delete on tenant.audit_entries from switchboard_tenant;
