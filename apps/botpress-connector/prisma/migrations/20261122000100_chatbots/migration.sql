-- CreateTable
CREATE TABLE "chatbots" (
    "tenant_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "config" JSONB NOT NULL,
    "knowledge_hash" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chatbots_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "chatbot_versions" (
    "tenant_id" TEXT NOT NULL,
    "version" INTEGER NOT NULL,
    "config" JSONB NOT NULL,
    "knowledge_hash" TEXT NOT NULL,
    "entries" INTEGER NOT NULL,
    "changed_by" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "chatbot_versions_pkey" PRIMARY KEY ("tenant_id","version")
);

-- CreateTable
CREATE TABLE "chatbot_knowledge" (
    "tenant_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "entries" JSONB NOT NULL,

    CONSTRAINT "chatbot_knowledge_pkey" PRIMARY KEY ("tenant_id","hash")
);

-- CreateTable
CREATE TABLE "chatbot_sync_jobs" (
    "tenant_id" TEXT NOT NULL,
    "job_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "version" INTEGER,
    "done" INTEGER NOT NULL DEFAULT 0,
    "total" INTEGER NOT NULL DEFAULT 0,
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "error_code" TEXT,
    "error_message" TEXT,
    "reason" TEXT,
    "due_at" TIMESTAMPTZ(3) NOT NULL,
    "claim" TEXT,
    "claimed_until" TIMESTAMPTZ(3),
    "created_at" TIMESTAMPTZ(3) NOT NULL,
    "started_at" TIMESTAMPTZ(3),
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "chatbot_sync_jobs_pkey" PRIMARY KEY ("tenant_id","job_id")
);

-- CreateTable
CREATE TABLE "bookings" (
    "tenant_id" TEXT NOT NULL,
    "booking_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "starts_at" TIMESTAMPTZ(3),
    "ends_at" TIMESTAMPTZ(3),
    "conversation_id" TEXT,
    "contact_id" TEXT,
    "connection_id" TEXT,
    "contact" JSONB NOT NULL,
    "notes" TEXT,
    "request_key" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "bookings_pkey" PRIMARY KEY ("tenant_id","booking_id")
);

-- CreateIndex
CREATE INDEX "bookings_starts_at" ON "bookings"("tenant_id", "starts_at");

-- CreateIndex
CREATE UNIQUE INDEX "bookings_request" ON "bookings"("tenant_id", "request_key");

-- One that runs and one that waits, whatever processes there are.
CREATE UNIQUE INDEX "chatbot_sync_jobs_running" ON "chatbot_sync_jobs"("tenant_id") WHERE "state" = 'running';
CREATE UNIQUE INDEX "chatbot_sync_jobs_queued" ON "chatbot_sync_jobs"("tenant_id") WHERE "state" = 'queued';

-- Those that are due are found over all tenants.
CREATE INDEX "chatbot_sync_jobs_due" ON "chatbot_sync_jobs"("due_at") WHERE "state" = 'queued';
CREATE INDEX "chatbot_sync_jobs_claimed" ON "chatbot_sync_jobs"("claimed_until") WHERE "state" = 'running';

-- No two bookings of a tenant begin at one moment.
CREATE UNIQUE INDEX "bookings_taken" ON "bookings"("tenant_id", "starts_at") WHERE "status" <> 'cancelled';

-- Row-level security
select switchboard.protect_tenant_table('"chatbots"');
select switchboard.protect_tenant_table('"chatbot_versions"');
select switchboard.protect_tenant_table('"chatbot_knowledge"');
select switchboard.protect_tenant_table('"chatbot_sync_jobs"', system => true);
select switchboard.protect_tenant_table('"bookings"');
