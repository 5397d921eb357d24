-- Streams that stand still in front of an event that cannot be applied: `revision`, `position` and `type` are that event's.
-- Its later events wait in the log; `last_revision` and `last_position` are those of the last one.
create table parked_stream (
  stream text not null,
  organization_id text not null,
  category text not null,
  revision bigint not null,
  position bigint not null,
  type text not null,
  recorded_at timestamptz not null,
  error text not null,
  waiting bigint not null,
  last_revision bigint not null,
  last_position bigint not null,
  constraint parked_stream_pk primary key (stream)
);
