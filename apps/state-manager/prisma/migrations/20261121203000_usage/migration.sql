-- AlterTable
ALTER TABLE "conversations" ADD COLUMN "active_month" TEXT;

-- CreateTable
CREATE TABLE "usage_counters" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "direction" TEXT NOT NULL,
    "slot" SMALLINT NOT NULL,
    "messages" BIGINT NOT NULL,
    "media_bytes" BIGINT NOT NULL,
    "reported_messages" BIGINT NOT NULL DEFAULT 0,
    "reported_bytes" BIGINT NOT NULL DEFAULT 0,
    "unreported" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "usage_counters_pkey" PRIMARY KEY ("tenant_id","month","channel","direction","slot")
);

-- CreateTable
CREATE TABLE "active_contacts" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "contact_id" TEXT NOT NULL,
    "unreported" BOOLEAN NOT NULL DEFAULT true,

    CONSTRAINT "active_contacts_pkey" PRIMARY KEY ("tenant_id","month","contact_id")
);

-- What is to be told; Prisma's schema has no word for a partial index.
CREATE INDEX "usage_counters_unreported_idx" ON "usage_counters"("tenant_id", "month") WHERE "unreported";
CREATE INDEX "active_contacts_unreported_idx" ON "active_contacts"("tenant_id", "month") WHERE "unreported";

-- A row that counts up with every message leaves room on its page, so that the change touches no index.
ALTER TABLE "usage_counters" SET (fillfactor = 40);

-- The system finds the tenants of whom there is something to tell, and drops months that are long told.
SELECT switchboard.protect_tenant_table('state.usage_counters', system => true);
SELECT switchboard.protect_tenant_table('state.active_contacts', system => true);
