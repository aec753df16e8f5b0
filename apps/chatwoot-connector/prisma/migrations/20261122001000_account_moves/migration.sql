-- CreateTable
CREATE TABLE "account_moves" (
    "tenant_id" TEXT NOT NULL,
    "move_id" TEXT NOT NULL,
    "from_connection_id" TEXT NOT NULL,
    "to_connection_id" TEXT NOT NULL,
    "state" TEXT NOT NULL,
    "phase" TEXT NOT NULL,
    "is_open" BOOLEAN,
    "conversations_total" INTEGER NOT NULL DEFAULT 0,
    "swept_at" TIMESTAMPTZ(3),
    "newest_at" TIMESTAMPTZ(3),
    "switched_at" TIMESTAMPTZ(3),
    "inbox_before" TEXT,
    "report" TEXT,
    "error_code" TEXT,
    "error_message" TEXT,
    "error_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "next_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),
    "started_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "ended_at" TIMESTAMPTZ(3),

    CONSTRAINT "account_moves_pkey" PRIMARY KEY ("tenant_id","move_id")
);

-- CreateTable
CREATE TABLE "moved_conversations" (
    "tenant_id" TEXT NOT NULL,
    "source_connection_id" TEXT NOT NULL,
    "target_connection_id" TEXT NOT NULL,
    "source_conversation_id" INTEGER NOT NULL,
    "address" TEXT NOT NULL,
    "source_contact_id" INTEGER NOT NULL,
    "target_conversation_id" INTEGER,
    "target_contact_id" INTEGER,
    "claimed_at" TIMESTAMPTZ(3),
    "is_complete" BOOLEAN NOT NULL DEFAULT false,
    "status" TEXT,
    "status_set_at" TIMESTAMPTZ(3),
    "lease_owner" TEXT,
    "lease_until" TIMESTAMPTZ(3),

    CONSTRAINT "moved_conversations_pkey" PRIMARY KEY ("tenant_id","source_connection_id","target_connection_id","source_conversation_id")
);

-- CreateTable
CREATE TABLE "moved_messages" (
    "tenant_id" TEXT NOT NULL,
    "source_connection_id" TEXT NOT NULL,
    "target_connection_id" TEXT NOT NULL,
    "source_message_id" BIGINT NOT NULL,
    "source_conversation_id" INTEGER NOT NULL,
    "state" TEXT NOT NULL,
    "claimed_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "target_message_id" BIGINT,
    "attachments" INTEGER NOT NULL DEFAULT 0,
    "attachments_copied" INTEGER NOT NULL DEFAULT 0,
    "reason" TEXT,

    CONSTRAINT "moved_messages_pkey" PRIMARY KEY ("tenant_id","source_connection_id","target_connection_id","source_message_id")
);

-- CreateIndex
CREATE INDEX "account_moves_due" ON "account_moves"("state", "next_at");

-- CreateIndex
CREATE UNIQUE INDEX "account_moves_one_open" ON "account_moves"("tenant_id", "is_open");

-- CreateIndex
CREATE INDEX "moved_conversations_address" ON "moved_conversations"("tenant_id", "source_connection_id", "target_connection_id", "address");

-- CreateIndex
CREATE INDEX "moved_conversations_target" ON "moved_conversations"("tenant_id", "target_connection_id", "target_conversation_id");

-- CreateIndex
CREATE INDEX "moved_messages_conversation" ON "moved_messages"("tenant_id", "source_connection_id", "target_connection_id", "source_conversation_id", "source_message_id");

-- CreateIndex
CREATE INDEX "moved_messages_target" ON "moved_messages"("tenant_id", "source_connection_id", "target_connection_id", "target_message_id");

-- Row-level security. The moves are open to system scope for finding those that wait for a process.
select switchboard.protect_tenant_table('chatwoot.account_moves', system => true);
select switchboard.protect_tenant_table('chatwoot.moved_conversations');
select switchboard.protect_tenant_table('chatwoot.moved_messages');
