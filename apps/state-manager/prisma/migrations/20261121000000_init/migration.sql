-- CreateTable
CREATE TABLE "contacts" (
    "tenant_id" TEXT NOT NULL,
    "contact_id" TEXT NOT NULL,
    "name" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "contacts_pkey" PRIMARY KEY ("tenant_id","contact_id")
);

-- CreateTable
CREATE TABLE "contact_aliases" (
    "tenant_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "match_key" TEXT NOT NULL,
    "contact_id" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "value" TEXT NOT NULL,

    CONSTRAINT "contact_aliases_pkey" PRIMARY KEY ("tenant_id","provider","match_key")
);

-- CreateTable
CREATE TABLE "conversations" (
    "tenant_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "contact_id" TEXT NOT NULL,
    "channel_connection_id" TEXT NOT NULL,
    "channel_provider" TEXT NOT NULL,
    "contact_address" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "handler" TEXT NOT NULL,
    "message_count" INTEGER NOT NULL DEFAULT 0,
    "last_inbound_at" TIMESTAMPTZ(3),
    "last_inbound_provider_message_id" TEXT,
    "last_activity_at" TIMESTAMPTZ(3) NOT NULL,
    "closed_at" TIMESTAMPTZ(3),
    "handoff_at" TIMESTAMPTZ(3),
    "handoff_to" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "conversations_pkey" PRIMARY KEY ("tenant_id","conversation_id")
);

-- CreateTable
CREATE TABLE "mappings" (
    "tenant_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "contact_address" TEXT NOT NULL,
    "provider_conversation_id" TEXT,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "mappings_pkey" PRIMARY KEY ("tenant_id","conversation_id","connection_id")
);

-- CreateTable
CREATE TABLE "messages" (
    "tenant_id" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "position" INTEGER NOT NULL,
    "connection_id" TEXT,
    "provider_message_id" TEXT,
    "direction" TEXT NOT NULL,
    "author" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "content" JSONB NOT NULL,
    "reply_to_message_id" TEXT,
    "idempotency_key" TEXT,
    "sent_at" TIMESTAMPTZ(3) NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "messages_pkey" PRIMARY KEY ("tenant_id","message_id")
);

-- CreateTable
CREATE TABLE "deliveries" (
    "tenant_id" TEXT NOT NULL,
    "message_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "rank" SMALLINT NOT NULL,
    "error" JSONB,
    "sent_instead" JSONB,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("tenant_id","message_id","connection_id")
);

-- CreateTable
CREATE TABLE "provider_messages" (
    "tenant_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "provider_message_id" TEXT NOT NULL,
    "message_id" TEXT,
    "rank" SMALLINT,
    "status" TEXT,
    "error" JSONB,
    "at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "provider_messages_pkey" PRIMARY KEY ("tenant_id","connection_id","provider_message_id")
);

-- CreateIndex
CREATE INDEX "contact_aliases_tenant_id_contact_id_idx" ON "contact_aliases"("tenant_id", "contact_id");

-- CreateIndex
CREATE INDEX "conversations_tenant_id_contact_id_idx" ON "conversations"("tenant_id", "contact_id");

-- CreateIndex
CREATE INDEX "conversations_tenant_id_status_conversation_id_idx" ON "conversations"("tenant_id", "status", "conversation_id");

-- CreateIndex
CREATE UNIQUE INDEX "conversations_tenant_id_channel_connection_id_contact_id_key" ON "conversations"("tenant_id", "channel_connection_id", "contact_id");

-- CreateIndex
CREATE INDEX "mappings_tenant_id_connection_id_provider_conversation_id_idx" ON "mappings"("tenant_id", "connection_id", "provider_conversation_id");

-- CreateIndex
CREATE UNIQUE INDEX "mappings_tenant_id_connection_id_contact_address_key" ON "mappings"("tenant_id", "connection_id", "contact_address");

-- CreateIndex
CREATE INDEX "messages_tenant_id_created_at_idx" ON "messages"("tenant_id", "created_at");

-- CreateIndex
CREATE UNIQUE INDEX "messages_tenant_id_connection_id_provider_message_id_key" ON "messages"("tenant_id", "connection_id", "provider_message_id");

-- CreateIndex
CREATE UNIQUE INDEX "messages_tenant_id_idempotency_key_key" ON "messages"("tenant_id", "idempotency_key");

-- CreateIndex
CREATE UNIQUE INDEX "messages_tenant_id_conversation_id_position_key" ON "messages"("tenant_id", "conversation_id", "position");

-- CreateIndex
CREATE INDEX "provider_messages_tenant_id_message_id_connection_id_idx" ON "provider_messages"("tenant_id", "message_id", "connection_id");

-- The few that wait for their message, for the task that drops them; Prisma's schema has no word for a partial index.
CREATE INDEX "provider_messages_early_idx" ON "provider_messages"("at") WHERE "message_id" IS NULL;

-- Rows that change with every message leave room on their page, so that the change touches no index.
ALTER TABLE "conversations" SET (fillfactor = 70);
ALTER TABLE "deliveries" SET (fillfactor = 80);

SELECT switchboard.protect_tenant_table('state.contacts');
SELECT switchboard.protect_tenant_table('state.contact_aliases');
-- The system closes what has been idle, and drops statuses that nobody's message waits for.
SELECT switchboard.protect_tenant_table('state.conversations', system => true);
SELECT switchboard.protect_tenant_table('state.mappings');
SELECT switchboard.protect_tenant_table('state.messages');
SELECT switchboard.protect_tenant_table('state.deliveries');
SELECT switchboard.protect_tenant_table('state.provider_messages', system => true);
