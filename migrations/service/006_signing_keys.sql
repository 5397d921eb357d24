-- Keys that sign access tokens. The private part is wrapped by the master key. A key is published before it signs, and
-- goes on verifying after a newer one signs, as long as a token may live.
create table signing_key (
  kid text not null,
  public_key text not null,
  private_key bytea not null,
  signs_from timestamptz not null,
  made_at timestamptz not null default now(),
  removed_at timestamptz,
  constraint signing_key_pk primary key (kid)
);
