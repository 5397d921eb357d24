-- Current state of projects (with their environments), for lists and look-ups.
create table project (
  project_id text not null,
  organization_id text not null,
  key text not null,
  name text not null,
  status text not null,
  revision bigint not null,
  position bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  state jsonb not null,
  constraint project_pk primary key (project_id)
);

-- One row per revision: the half-open range of positions and of time for which the state held.
create table project_revision (
  project_id text not null,
  revision bigint not null,
  position_from bigint not null,
  position_to bigint,
  recorded_from timestamptz not null,
  recorded_to timestamptz,
  state jsonb not null,
  constraint project_revision_pk primary key (project_id, revision)
);
