-- AlterTable
ALTER TABLE "tenants" ADD COLUMN     "erasure_id" TEXT;
