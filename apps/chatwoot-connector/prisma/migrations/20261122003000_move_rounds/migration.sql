alter table "account_moves" add column "round_ms" integer;
