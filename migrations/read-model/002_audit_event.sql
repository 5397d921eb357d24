-- Every event of ours, in log order: audit trail, flag history, and time -> position.
-- recorded_at never decreases along position.
create table audit_event (
  position bigint not null,
  event_id uuid not null,
  category text not null,
  stream text not null,
  revision bigint not null,
  organization_id text not null,
  project_key text,
  entity_key text,
  environment text,
  type text not null,
  actor_id text not null,
  recorded_at timestamptz not null,
  data jsonb not null,
  metadata jsonb not null,
  constraint audit_event_pk primary key (position)
);
