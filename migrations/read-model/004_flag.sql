-- Current state of flags, for lists and look-ups. Deleted flags stay, with their status.
create table flag (
  project_id text not null,
  key text not null,
  name text not null,
  description text not null,
  type text not null,
  status text not null,
  tags text[] not null,
  revision bigint not null,
  position bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  state jsonb not null,
  constraint flag_pk primary key (project_id, key)
);

-- One row per revision: the half-open range of positions and of time for which the state held.
create table flag_revision (
  project_id text not null,
  flag_key text not null,
  revision bigint not null,
  position_from bigint not null,
  position_to bigint,
  recorded_from timestamptz not null,
  recorded_to timestamptz,
  state jsonb not null,
  constraint flag_revision_pk primary key (project_id, flag_key, revision)
);
