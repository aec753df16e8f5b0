-- CreateTable
CREATE TABLE "connections" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "routing_keys" TEXT[],
    "sealed_secrets" BYTEA NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "connections_pkey" PRIMARY KEY ("tenant_id","connection_id")
);

-- CreateTable
CREATE TABLE "webhooks" (
    "tenant_id" TEXT NOT NULL,
    "webhook_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "event_key" TEXT NOT NULL,
    "ordering_key" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "webhooks_pkey" PRIMARY KEY ("tenant_id","webhook_id")
);

-- CreateTable
CREATE TABLE "quarantine" (
    "quarantine_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "connection_id" TEXT,
    "accounts" TEXT[],
    "content_hash" TEXT NOT NULL,
    "body" BYTEA NOT NULL,
    "received_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "quarantine_pkey" PRIMARY KEY ("quarantine_id")
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
CREATE UNIQUE INDEX "connections_connection_id_key" ON "connections"("connection_id");

-- CreateIndex
CREATE INDEX "connections_routing_keys_idx" ON "connections" USING GIN ("routing_keys");

-- CreateIndex
CREATE INDEX "connections_provider_updated_at_idx" ON "connections"("provider", "updated_at");

-- CreateIndex
CREATE UNIQUE INDEX "webhooks_tenant_id_provider_event_key_key" ON "webhooks"("tenant_id", "provider", "event_key");

-- CreateIndex
CREATE INDEX "webhooks_tenant_id_connection_id_webhook_id_idx" ON "webhooks"("tenant_id", "connection_id", "webhook_id");

-- CreateIndex
CREATE INDEX "webhooks_received_at_idx" ON "webhooks" USING BRIN ("received_at");

-- CreateIndex
CREATE UNIQUE INDEX "quarantine_provider_content_hash_key" ON "quarantine"("provider", "content_hash");

-- CreateIndex
CREATE INDEX "quarantine_received_at_idx" ON "quarantine"("received_at");

-- Isolation: each row is its tenant's. The system role finds connections before a tenant is known, and stores the webhooks of many tenants
-- in one commit. What nobody owns is the platform's.
select switchboard.protect_tenant_table('ingest.connections', system => true);
select switchboard.protect_tenant_table('ingest.webhooks', system => true);
select switchboard.protect_tenant_table('ingest.tenant_keys');
select switchboard.protect_platform_table('ingest.quarantine');
