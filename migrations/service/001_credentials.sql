-- Secrets are not events: only their hashes are kept, and only here.
create table credentials (
  key_id text not null,
  organization_id text not null,
  kind text not null,
  secret_sha256 bytea not null,
  issued_at timestamptz not null default now(),
  revoked_at timestamptz,
  constraint credentials_pk primary key (key_id),
  constraint credentials_kind_known check (kind in ('admin'))
);
