create table "threads" (
    "tenant_id" text not null,
    "inbox_key" text not null,
    "address" text not null,
    "contact_id" bigint,
    "display_id" bigint,
    "last_message_id" bigint not null default 0,
    "claimed_by" text,
    "claimed_until" timestamptz(3),
    "status_written" text,
    "status_written_at" timestamptz(3),
    "created_at" timestamptz(3) not null default current_timestamp,

    constraint "threads_pkey" primary key ("tenant_id", "inbox_key", "address")
);

create table "posts" (
    "tenant_id" text not null,
    "inbox_key" text not null,
    "hub_ref" text not null,
    "display_id" bigint not null,
    "after_message_id" bigint not null,
    "tried_at" timestamptz(3) not null default current_timestamp,

    constraint "posts_pkey" primary key ("tenant_id", "inbox_key", "hub_ref")
);

create index "posts_tried_at" on "posts" ("tried_at");

-- Row-level security. Posts are open to system scope for the retention task alone.
select switchboard.protect_tenant_table('chatwoot.threads');
select switchboard.protect_tenant_table('chatwoot.posts', system => true);
