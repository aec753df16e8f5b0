-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "platform_connection_id" TEXT;

-- CreateTable
CREATE TABLE "platform_connections" (
    "platform_connection_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "is_open" BOOLEAN NOT NULL,
    "inboxes_max" INTEGER,
    "version" INTEGER NOT NULL,
    "routing_identifiers" JSONB NOT NULL,
    "settings" JSONB NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "wrapped_by" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "checked_at" TIMESTAMPTZ(6) NOT NULL,
    "check_reason" TEXT,
    "told_version" INTEGER NOT NULL,
    "told_until" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "platform_connections_pkey" PRIMARY KEY ("platform_connection_id")
);

-- CreateTable
CREATE TABLE "platform_webhook_secrets" (
    "secret_id" TEXT NOT NULL,
    "platform_connection_id" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "wrapped_by" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "platform_webhook_secrets_pkey" PRIMARY KEY ("secret_id")
);

-- CreateTable
CREATE TABLE "platform_audit_entries" (
    "audit_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL,
    "actor" JSONB NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "facts" JSONB NOT NULL,

    CONSTRAINT "platform_audit_entries_pkey" PRIMARY KEY ("audit_id")
);

-- CreateIndex
CREATE INDEX "platform_webhook_secrets_platform_connection_id_idx" ON "platform_webhook_secrets"("platform_connection_id");

-- CreateIndex
CREATE INDEX "connections_platform_connection_id_connection_id_idx" ON "connections"("platform_connection_id", "connection_id");

-- AddForeignKey
ALTER TABLE "platform_webhook_secrets" ADD CONSTRAINT "platform_webhook_secrets_platform_connection_id_fkey" FOREIGN KEY ("platform_connection_id") REFERENCES "platform_connections"("platform_connection_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Row-level security
select switchboard.protect_platform_table('tenant.platform_connections');
select switchboard.protect_platform_table('tenant.platform_webhook_secrets');
select switchboard.protect_platform_table('tenant.platform_audit_entries');

-- Append-only: what was done cannot be undone by who did it.
revoke update, delete on tenant.platform_audit_entries from switchboard_tenant_system;
