-- Tokens of invitations: only their hashes are kept, and only here. What became of an invitation is in the log.
create table invitation (
  organization_id text not null,
  invitation_id text not null,
  token_sha256 bytea not null,
  created_at timestamptz not null default now(),
  constraint invitation_pk primary key (organization_id, invitation_id)
);
