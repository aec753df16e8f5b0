-- CreateTable
CREATE TABLE "chat_sessions" (
    "tenant_id" TEXT NOT NULL,
    "conversation_id" TEXT NOT NULL,
    "connection_id" TEXT NOT NULL,
    "welcomed_at" TIMESTAMPTZ(3),
    "reached_at" TIMESTAMPTZ(3),
    "silent_from" TIMESTAMPTZ(3),
    "desk_since" TIMESTAMPTZ(3),
    "fallback_at" TIMESTAMPTZ(3),
    "after_hours_lead_at" TIMESTAMPTZ(3),
    "failures" INTEGER NOT NULL DEFAULT 0,
    "turns" JSONB NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "chat_sessions_pkey" PRIMARY KEY ("tenant_id","conversation_id")
);

-- Row-level security
select switchboard.protect_tenant_table('"chat_sessions"');
