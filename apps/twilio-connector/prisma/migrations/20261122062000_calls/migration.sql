create table "calls" (
    "tenant_id" text not null,
    "connection_id" text not null,
    "call_sid" text not null,
    "state" jsonb not null,
    "created_at" timestamptz(3) not null default current_timestamp,

    constraint "calls_pkey" primary key ("tenant_id", "connection_id", "call_sid")
);

create index "calls_created_at" on "calls" ("created_at");

-- Open to system scope for the retention task alone.
select switchboard.protect_tenant_table('twilio.calls', system => true);
