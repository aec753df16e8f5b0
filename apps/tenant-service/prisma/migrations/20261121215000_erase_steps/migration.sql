-- AlterTable
ALTER TABLE "erasures" ADD COLUMN     "disconnected_at" TIMESTAMPTZ(6),
ADD COLUMN     "told_at" TIMESTAMPTZ(6);
