-- One command is done once, whichever processes it is sent to. A secret has the revision of the event that it was made
-- for: the second process that makes one for the same event keeps nothing. An Idempotency-Key names one command of an
-- organization; `command_hash` says which.
alter table credentials
  add column secret_revision bigint not null default -1;

create table command_key (
  organization_id text not null,
  command_id text not null,
  command_hash text not null,
  claimed_at timestamptz not null default now(),
  constraint command_key_pk primary key (organization_id, command_id)
);

create index command_key_claimed_at on command_key (claimed_at);
