create table "opt_outs" (
    "tenant_id" text not null,
    "sender" text not null,
    "address" text not null,
    "connection_id" text not null,
    "is_out" boolean not null,
    "source" text not null,
    "said_at" timestamptz(3) not null,

    constraint "opt_outs_pkey" primary key ("tenant_id", "sender", "address")
);

create index "opt_outs_newest" on "opt_outs" ("tenant_id", "is_out", "said_at" desc, "sender" desc, "address" desc);

create table "usage_items" (
    "tenant_id" text not null,
    "connection_id" text not null,
    "item_id" text not null,
    "account_sid" text not null,
    "kind" text not null,
    "units" integer not null,
    "at" timestamptz(3) not null,
    "sid" text,
    "look_at" timestamptz(3),

    constraint "usage_items_pkey" primary key ("tenant_id", "connection_id", "item_id")
);

create index "usage_items_account" on "usage_items" ("tenant_id", "account_sid", "at");

create index "usage_items_sid" on "usage_items" ("tenant_id", "connection_id", "sid");

create index "usage_items_look_at" on "usage_items" ("tenant_id", "connection_id", "look_at");

create index "usage_items_at" on "usage_items" ("at");

create table "reconciliations" (
    "tenant_id" text not null,
    "connection_id" text not null,
    "cause" text not null,
    "looked_until" timestamptz(3) not null,
    "next_at" timestamptz(3) not null,
    "failures" integer not null default 0,
    "lease_owner" text,
    "lease_until" timestamptz(3),

    constraint "reconciliations_pkey" primary key ("tenant_id", "connection_id")
);

create index "reconciliations_due" on "reconciliations" ("next_at");

select switchboard.protect_tenant_table('twilio.opt_outs');
-- Open to system scope for the retention task.
select switchboard.protect_tenant_table('twilio.usage_items', system => true);
-- Open to system scope for finding those of all tenants that are due.
select switchboard.protect_tenant_table('twilio.reconciliations', system => true);
