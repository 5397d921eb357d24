-- One row: the installation whose log this database belongs to, as its mark in the log names it.
create table installation (
  id integer not null,
  installation_id uuid not null,
  constraint installation_pk primary key (id),
  constraint installation_one_row check (id = 1)
);
