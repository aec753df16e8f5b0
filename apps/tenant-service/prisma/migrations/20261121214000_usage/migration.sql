-- CreateTable
CREATE TABLE "usage" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "channel" TEXT NOT NULL,
    "direction" TEXT NOT NULL,
    "messages" BIGINT NOT NULL,

    CONSTRAINT "usage_pkey" PRIMARY KEY ("tenant_id","month","channel","direction")
);

-- CreateTable
CREATE TABLE "usage_totals" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "api_calls" BIGINT NOT NULL,
    "media_bytes" BIGINT NOT NULL,
    "active_contacts" BIGINT NOT NULL,

    CONSTRAINT "usage_totals_pkey" PRIMARY KEY ("tenant_id","month")
);

-- CreateTable
CREATE TABLE "usage_contacts" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "contact_id" TEXT NOT NULL,

    CONSTRAINT "usage_contacts_pkey" PRIMARY KEY ("tenant_id","month","contact_id")
);

-- CreateTable
CREATE TABLE "reached_limits" (
    "tenant_id" TEXT NOT NULL,
    "month" TEXT NOT NULL,
    "threshold" SMALLINT NOT NULL,
    "limit" BIGINT NOT NULL,
    "used" BIGINT NOT NULL,
    "reached_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "reached_limits_pkey" PRIMARY KEY ("tenant_id","month","threshold","limit")
);

-- The platform bills all tenants of a month, and sees who is at a limit.
SELECT switchboard.protect_tenant_table('tenant.usage', system => true);
SELECT switchboard.protect_tenant_table('tenant.usage_totals', system => true);
SELECT switchboard.protect_tenant_table('tenant.usage_contacts');
SELECT switchboard.protect_tenant_table('tenant.reached_limits', system => true);
