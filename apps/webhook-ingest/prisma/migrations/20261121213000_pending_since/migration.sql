-- AlterTable
ALTER TABLE "connections" ADD COLUMN     "pending_since" TIMESTAMPTZ(6);
