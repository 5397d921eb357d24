-- States of long streams up to one of their events, so that a command need not read them whole. Each is sealed with the
-- master key, and used only when the log has that event there. All of it is made from the log: rows may be deleted.
create table stream_snapshot (
  stream text not null,
  taken_at timestamptz not null default now(),
  body bytea not null,
  constraint stream_snapshot_pk primary key (stream)
);

-- What is sealed cannot be compressed.
alter table stream_snapshot alter column body set storage external;
