-- AlterTable
ALTER TABLE "chat_sessions" ADD COLUMN     "call_by" TEXT,
ADD COLUMN     "call_until" TIMESTAMPTZ(3);
