-- CreateTable
CREATE TABLE "leads" (
    "tenant_id" TEXT NOT NULL,
    "lead_id" TEXT NOT NULL,
    "source" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "name" TEXT,
    "phone" TEXT,
    "email" TEXT,
    "notes" TEXT,
    "attributes" JSONB NOT NULL,
    "assignee" TEXT,
    "conversation_id" TEXT,
    "idempotency_key" TEXT,
    "idempotency_digest" TEXT,
    "captured_at" TIMESTAMPTZ(3) NOT NULL,
    "updated_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "leads_pkey" PRIMARY KEY ("tenant_id","lead_id")
);

-- CreateTable
CREATE TABLE "replaced_connections" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "replaced_by" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "replaced_connections_pkey" PRIMARY KEY ("tenant_id","connection_id")
);

-- CreateIndex
CREATE INDEX "leads_tenant_id_captured_at_lead_id_idx" ON "leads"("tenant_id", "captured_at", "lead_id");

-- CreateIndex
CREATE UNIQUE INDEX "leads_tenant_id_idempotency_key_key" ON "leads"("tenant_id", "idempotency_key");


SELECT switchboard.protect_tenant_table('state.leads');
SELECT switchboard.protect_tenant_table('state.replaced_connections');
