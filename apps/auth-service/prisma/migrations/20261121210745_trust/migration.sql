-- CreateTable
CREATE TABLE "tenant_keys" (
    "tenant_id" TEXT NOT NULL,
    "data_key_id" TEXT NOT NULL,
    "key_id" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "tenant_keys_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "issuers" (
    "tenant_id" TEXT NOT NULL,
    "issuer_id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "audience" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "jwks_url" TEXT,
    "sealed_secret" BYTEA,
    "max_role" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "issuers_pkey" PRIMARY KEY ("tenant_id","issuer_id")
);

-- CreateTable
CREATE TABLE "platform_issuers" (
    "issuer_id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "audience" TEXT NOT NULL,
    "kind" TEXT NOT NULL,
    "algorithm" TEXT NOT NULL,
    "jwks_url" TEXT,
    "sealed_secret" BYTEA,
    "wrapped_by" TEXT,
    "wrapped" BYTEA,
    "max_role" TEXT NOT NULL,
    "is_enabled" BOOLEAN NOT NULL DEFAULT true,
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "platform_issuers_pkey" PRIMARY KEY ("issuer_id")
);

-- CreateTable
CREATE TABLE "sso_providers" (
    "tenant_id" TEXT NOT NULL,
    "issuer" TEXT NOT NULL,
    "client_id" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "allowed_domains" TEXT[],
    "default_role" TEXT NOT NULL,
    "max_role" TEXT NOT NULL,
    "create_members" BOOLEAN NOT NULL,
    "return_url" TEXT NOT NULL,
    "updated_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sso_providers_pkey" PRIMARY KEY ("tenant_id")
);

-- CreateTable
CREATE TABLE "sso_logins" (
    "tenant_id" TEXT NOT NULL,
    "login_id" TEXT NOT NULL,
    "state_hash" TEXT NOT NULL,
    "challenge" TEXT NOT NULL,
    "nonce" TEXT NOT NULL,
    "begun_with" TIMESTAMPTZ(6) NOT NULL,
    "expires_at" TIMESTAMPTZ(6) NOT NULL,

    CONSTRAINT "sso_logins_pkey" PRIMARY KEY ("tenant_id","login_id")
);

-- CreateTable
CREATE TABLE "second_factors" (
    "tenant_id" TEXT NOT NULL,
    "member_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "last_step" INTEGER NOT NULL,
    "recovery_hashes" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "second_factors_pkey" PRIMARY KEY ("tenant_id","member_id")
);

-- CreateTable
CREATE TABLE "staff_second_factors" (
    "member_id" TEXT NOT NULL,
    "status" TEXT NOT NULL,
    "sealed_secret" BYTEA NOT NULL,
    "wrapped_by" TEXT NOT NULL,
    "wrapped" BYTEA NOT NULL,
    "last_step" INTEGER NOT NULL,
    "recovery_hashes" TEXT[],
    "created_at" TIMESTAMPTZ(6) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "staff_second_factors_pkey" PRIMARY KEY ("member_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "issuers_tenant_id_issuer_key" ON "issuers"("tenant_id", "issuer");

-- CreateIndex
CREATE UNIQUE INDEX "platform_issuers_issuer_key" ON "platform_issuers"("issuer");

-- CreateIndex
CREATE INDEX "sso_logins_expires_at_idx" ON "sso_logins"("expires_at");

-- AddForeignKey
ALTER TABLE "second_factors" ADD CONSTRAINT "second_factors_tenant_id_member_id_fkey" FOREIGN KEY ("tenant_id", "member_id") REFERENCES "members"("tenant_id", "member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- AddForeignKey
ALTER TABLE "staff_second_factors" ADD CONSTRAINT "staff_second_factors_member_id_fkey" FOREIGN KEY ("member_id") REFERENCES "staff"("member_id") ON DELETE CASCADE ON UPDATE CASCADE;

-- Isolation: each row is its tenant's. The system scope sweeps log-ins that never came back, over all tenants; what is the platform's it alone gets at.
select switchboard.protect_tenant_table('auth.tenant_keys');
select switchboard.protect_tenant_table('auth.issuers');
select switchboard.protect_tenant_table('auth.sso_providers');
select switchboard.protect_tenant_table('auth.sso_logins', system => true);
select switchboard.protect_tenant_table('auth.second_factors');
select switchboard.protect_platform_table('auth.platform_issuers');
select switchboard.protect_platform_table('auth.staff_second_factors');
