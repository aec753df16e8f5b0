-- AlterTable
ALTER TABLE "tenants" ADD COLUMN     "cors_origins" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "creation" JSONB,
ADD COLUMN     "creation_key" TEXT,
ADD COLUMN     "delete_after" TIMESTAMPTZ(6),
ADD COLUMN     "deleted_at" TIMESTAMPTZ(6);

-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "cidrs" TEXT[] DEFAULT ARRAY[]::TEXT[],
ADD COLUMN     "name" TEXT NOT NULL DEFAULT '',
ADD COLUMN     "rate_limit" INTEGER,
ADD COLUMN     "replaced_by" TEXT;

-- CreateTable
CREATE TABLE "erasures" (
    "erasure_id" TEXT NOT NULL,
    "erased_tenant_id" TEXT NOT NULL,
    "services" TEXT[],
    "receipts" JSONB NOT NULL DEFAULT '{}',
    "webhooks" JSONB NOT NULL DEFAULT '[]',
    "audit" JSONB,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "begun_at" TIMESTAMPTZ(6) NOT NULL,
    "completed_at" TIMESTAMPTZ(6),

    CONSTRAINT "erasures_pkey" PRIMARY KEY ("erasure_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "tenants_creation_key_key" ON "tenants"("creation_key");

-- CreateIndex
CREATE INDEX "tenants_delete_after_idx" ON "tenants"("delete_after");

-- CreateIndex
CREATE INDEX "tenants_cors_origins_idx" ON "tenants" USING GIN ("cors_origins");

-- CreateIndex
CREATE INDEX "erasures_erased_tenant_id_begun_at_idx" ON "erasures"("erased_tenant_id", "begun_at");

-- What was erased is told after the tenant is gone.
select switchboard.protect_platform_table('tenant.erasures');
