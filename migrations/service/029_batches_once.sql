-- A batch (import, promotion, revert of an environment, erasure) is many events under one Idempotency-Key. Its answer is
-- kept, sealed, so that a repeat gets the same one; until there is an answer, one request at a time works on it.
-- `command_hash` is from now on a keyed digest: a plain hash of a command that names somebody can be guessed from.
delete from command_key;

alter table command_key
  -- Another request may take the batch over after this; null: none is working on it.
  add column working_until timestamptz,
  add column answer bytea,
  -- The answer may show somebody's values, so an erasure removes it.
  add column names_people boolean not null default false;

create index command_key_names_people on command_key (organization_id) where names_people;
