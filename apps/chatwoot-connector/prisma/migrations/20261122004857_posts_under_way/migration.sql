-- AlterTable
ALTER TABLE "posts" ADD COLUMN     "under_way_until" TIMESTAMPTZ(3);
