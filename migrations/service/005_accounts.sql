-- Accounts of people and what proves them. Nothing here is in the log: no address in clear, of every secret only a hash.
-- email_lookup is not unique: only one account of an address belongs to a member at a time, and the log says which.
create table account (
  organization_id text not null,
  user_id text not null,
  email_lookup bytea not null,
  password_hash text not null,
  created_at timestamptz not null default now(),
  password_changed_at timestamptz not null default now(),
  constraint account_pk primary key (organization_id, user_id)
);

create index account_email_lookup on account (email_lookup);

-- A session is a family of refresh tokens. told_at: when the log heard of its end.
create table session (
  session_id text not null,
  organization_id text not null,
  user_id text not null,
  method text not null,
  user_agent text,
  started_at timestamptz not null default now(),
  refreshed_at timestamptz not null default now(),
  expires_at timestamptz not null,
  ended_at timestamptz,
  ended_cause text,
  told_at timestamptz,
  constraint session_pk primary key (session_id),
  constraint session_end_has_cause check ((ended_at is null) = (ended_cause is null))
);

create index session_live_of_user on session (organization_id, user_id) where ended_at is null;
create index session_expiring on session (expires_at) where ended_at is null;
create index session_ended_lately on session (ended_at) where ended_at is not null;
create index session_untold on session (ended_at) where ended_at is not null and told_at is null;

create table refresh_token (
  sha256 bytea not null,
  session_id text not null,
  issued_at timestamptz not null default now(),
  used_at timestamptz,
  constraint refresh_token_pk primary key (sha256),
  constraint refresh_token_session foreign key (session_id) references session on delete cascade
);

create index refresh_token_of_session on refresh_token (session_id);
