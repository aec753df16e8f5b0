-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "creation_key" TEXT,
ADD COLUMN     "creation_request" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_tenant_id_creation_key_key" ON "api_keys"("tenant_id", "creation_key");
