-- CreateTable
CREATE TABLE "unknown_accounts" (
    "provider" TEXT NOT NULL,
    "account" TEXT NOT NULL,
    "count" INTEGER NOT NULL,
    "first_at" TIMESTAMPTZ(3) NOT NULL,
    "last_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "unknown_accounts_pkey" PRIMARY KEY ("provider","account")
);

-- CreateIndex
CREATE INDEX "unknown_accounts_last_at_idx" ON "unknown_accounts"("last_at");

-- What nobody owns is the platform's.
select switchboard.protect_platform_table('ingest.unknown_accounts');
