create table "deliveries" (
    "tenant_id" text not null,
    "message_id" text not null,
    "part" integer not null,
    "connection_id" text not null,
    "state" text not null,
    "request" text not null,
    "provider_message_id" text,
    "provider_conversation_id" text,
    "status" text,
    "error_code" text,
    "error_message" text,
    "created_at" timestamptz(3) not null default current_timestamp,
    "claimed_at" timestamptz(3),
    "settled_at" timestamptz(3),

    constraint "deliveries_pkey" primary key ("tenant_id", "message_id", "connection_id", "part")
);

create index "deliveries_provider_message_id" on "deliveries" ("tenant_id", "connection_id", "provider_message_id");

create index "deliveries_created_at" on "deliveries" ("created_at");

-- Open to system scope for the retention task alone.
select switchboard.protect_tenant_table('twilio.deliveries', system => true);
