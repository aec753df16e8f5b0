-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "name" TEXT;

-- CreateTable
CREATE TABLE "connection_health" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "last_webhook_at" TIMESTAMPTZ(6),
    "last_success_at" TIMESTAMPTZ(6),
    "error_code" TEXT,
    "error_message" TEXT,
    "error_at" TIMESTAMPTZ(6),
    "token_expires_at" TIMESTAMPTZ(6),
    "token_seen_at" TIMESTAMPTZ(6),
    "tested_at" TIMESTAMPTZ(6),

    CONSTRAINT "connection_health_pkey" PRIMARY KEY ("tenant_id","connection_id")
);

-- AddForeignKey
ALTER TABLE "connection_health" ADD CONSTRAINT "connection_health_tenant_id_connection_id_fkey" FOREIGN KEY ("tenant_id", "connection_id") REFERENCES "connections"("tenant_id", "connection_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Row-level security
select switchboard.protect_tenant_table('tenant.connection_health');
