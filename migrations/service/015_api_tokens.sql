-- What an API token may do, and for every key the secret before its last rotation, which goes on counting for a while.
-- Tokens from before there were roles are owners.
alter table credentials
  add column role text,
  add column project_roles jsonb not null default '{}',
  add column rotated_at timestamptz,
  add column previous_sha256 bytea,
  add column previous_until timestamptz,
  add constraint credentials_previous_whole check ((previous_sha256 is null) = (previous_until is null));

update credentials set role = 'owner' where kind = 'admin';

alter table credentials
  add constraint credentials_role_of_kind check ((kind = 'admin') = (role is not null));
