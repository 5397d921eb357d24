-- One row: what only the master key of this installation can make, so that a process with another one is refused.
create table master_key_mark (
  id integer not null,
  mark bytea not null,
  constraint master_key_mark_pk primary key (id),
  constraint master_key_mark_one_row check (id = 1)
);
