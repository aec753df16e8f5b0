-- CreateTable
CREATE TABLE "members" (
    "tenant_id" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "role" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "password_hash" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "members_pkey" PRIMARY KEY ("tenant_id","member_id")
);

-- CreateTable
CREATE TABLE "sessions" (
    "tenant_id" TEXT NOT NULL,
    "session_id" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "family_hash" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "previous_hash" TEXT,
    "successor_salt" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "refreshed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "end_reason" TEXT,
    "from_address" TEXT,

    CONSTRAINT "sessions_pkey" PRIMARY KEY ("tenant_id","session_id")
);

-- CreateTable
CREATE TABLE "one_time_tokens" (
    "tenant_id" TEXT NOT NULL,
    "token_id" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "one_time_tokens_pkey" PRIMARY KEY ("tenant_id","token_id")
);

-- CreateTable
CREATE TABLE "staff" (
    "member_id" TEXT NOT NULL,
    "email" TEXT NOT NULL,
    "name" TEXT,
    "role" TEXT NOT NULL DEFAULT 'platform',
    "status" TEXT NOT NULL,
    "password_hash" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updated_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "staff_pkey" PRIMARY KEY ("member_id")
);

-- CreateTable
CREATE TABLE "staff_sessions" (
    "session_id" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "family_hash" TEXT NOT NULL,
    "token_hash" TEXT NOT NULL,
    "previous_hash" TEXT,
    "successor_salt" TEXT,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "refreshed_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,
    "ended_at" TIMESTAMPTZ(6),
    "end_reason" TEXT,
    "from_address" TEXT,

    CONSTRAINT "staff_sessions_pkey" PRIMARY KEY ("session_id")
);

-- CreateTable
CREATE TABLE "staff_one_time_tokens" (
    "token_id" TEXT NOT NULL,
    "purpose" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "hash" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "staff_one_time_tokens_pkey" PRIMARY KEY ("token_id")
);

-- CreateTable
CREATE TABLE "staff_audit_entries" (
    "audit_id" TEXT NOT NULL,
    "at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "actor" JSONB NOT NULL,
    "action" TEXT NOT NULL,
    "subject" TEXT NOT NULL,
    "facts" JSONB NOT NULL,

    CONSTRAINT "staff_audit_entries_pkey" PRIMARY KEY ("audit_id")
);

-- CreateTable
CREATE TABLE "guess_counts" (
    "subject_hash" TEXT NOT NULL,
    "failures" INTEGER NOT NULL,
    "blocked_until" TIMESTAMPTZ(6) NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "guess_counts_pkey" PRIMARY KEY ("subject_hash")
);

-- CreateTable
CREATE TABLE "known_addresses" (
    "subject_hash" TEXT NOT NULL,
    "seen_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "known_addresses_pkey" PRIMARY KEY ("subject_hash")
);

-- CreateTable
CREATE TABLE "signing_keys" (
    "kid" TEXT NOT NULL,
    "public_jwk" JSONB NOT NULL,
    "wrapped_by" TEXT,
    "wrapped" BYTEA,
    "created_at" TIMESTAMPTZ(6) NOT NULL,
    "signs_from" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "signing_keys_pkey" PRIMARY KEY ("kid")
);

-- CreateIndex
CREATE UNIQUE INDEX "members_tenant_id_email_key" ON "members"("tenant_id", "email");

-- CreateIndex
CREATE INDEX "sessions_tenant_id_member_id_idx" ON "sessions"("tenant_id", "member_id");

-- CreateIndex
CREATE INDEX "sessions_refreshed_at_idx" ON "sessions"("refreshed_at");

-- CreateIndex
CREATE INDEX "one_time_tokens_tenant_id_member_id_purpose_idx" ON "one_time_tokens"("tenant_id", "member_id", "purpose");

-- CreateIndex
CREATE INDEX "one_time_tokens_expires_at_idx" ON "one_time_tokens"("expires_at");

-- CreateIndex
CREATE UNIQUE INDEX "staff_email_key" ON "staff"("email");

-- CreateIndex
CREATE INDEX "staff_sessions_member_id_idx" ON "staff_sessions"("member_id");

-- CreateIndex
CREATE INDEX "staff_sessions_refreshed_at_idx" ON "staff_sessions"("refreshed_at");

-- CreateIndex
CREATE INDEX "staff_one_time_tokens_member_id_purpose_idx" ON "staff_one_time_tokens"("member_id", "purpose");

-- CreateIndex
CREATE INDEX "staff_one_time_tokens_expires_at_idx" ON "staff_one_time_tokens"("expires_at");

-- CreateIndex
CREATE INDEX "guess_counts_updated_at_idx" ON "guess_counts"("updated_at");

-- CreateIndex
CREATE INDEX "known_addresses_seen_at_idx" ON "known_addresses"("seen_at");

-- CreateIndex
CREATE INDEX "signing_keys_signs_from_idx" ON "signing_keys"("signs_from");

-- AddForeignKey
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_tenant_id_member_id_fkey" FOREIGN KEY ("tenant_id", "member_id") REFERENCES "members"("tenant_id", "member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "one_time_tokens" ADD CONSTRAINT "one_time_tokens_tenant_id_member_id_fkey" FOREIGN KEY ("tenant_id", "member_id") REFERENCES "members"("tenant_id", "member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "staff_sessions" ADD CONSTRAINT "staff_sessions_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "staff"("member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "staff_one_time_tokens" ADD CONSTRAINT "staff_one_time_tokens_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "staff"("member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Isolation: each row is its tenant's. The system scope sweeps what has ended out of sessions and one-time tokens, over all tenants; staff, keys
-- and counters belong to no tenant, and it alone gets at them.
select switchboard.protect_tenant_table('auth.members');
select switchboard.protect_tenant_table('auth.sessions', system => true);
select switchboard.protect_tenant_table('auth.one_time_tokens', system => true);
select switchboard.protect_platform_table('auth.staff');
select switchboard.protect_platform_table('auth.staff_sessions');
select switchboard.protect_platform_table('auth.staff_one_time_tokens');
select switchboard.protect_platform_table('auth.staff_audit_entries');
select switchboard.protect_platform_table('auth.guess_counts');
select switchboard.protect_platform_table('auth.known_addresses');
select switchboard.protect_platform_table('auth.signing_keys');

-- Append-only: what was done cannot be undone by who did it.
revoke update, delete on auth.staff_audit_entries from switchboard_auth_system;
