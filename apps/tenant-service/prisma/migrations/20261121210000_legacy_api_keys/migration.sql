-- AlterTable
ALTER TABLE "api_keys" ADD COLUMN     "legacy_hash" TEXT;

-- CreateIndex
CREATE UNIQUE INDEX "api_keys_legacy_hash_key" ON "api_keys"("legacy_hash");
