-- Where the rows of this schema stand in the log. Moves in the same transaction as the rows.
create table checkpoint (
  projection text not null,
  position bigint not null,
  recorded_at timestamptz,
  constraint checkpoint_pk primary key (projection)
);
