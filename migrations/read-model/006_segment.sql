-- Current state of segments, for lists and look-ups. Deleted segments stay, with their status.
create table segment (
  project_id text not null,
  key text not null,
  name text not null,
  description text not null,
  status text not null,
  tags text[] not null,
  revision bigint not null,
  position bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  state jsonb not null,
  constraint segment_pk primary key (project_id, key)
);

-- One row per revision: the half-open range of positions and of time for which the state held.
create table segment_revision (
  project_id text not null,
  segment_key text not null,
  revision bigint not null,
  position_from bigint not null,
  position_to bigint,
  recorded_from timestamptz not null,
  recorded_to timestamptz,
  state jsonb not null,
  constraint segment_revision_pk primary key (project_id, segment_key, revision)
);
