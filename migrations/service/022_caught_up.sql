-- One row, once the read model has held all of the log. It stays when the read model is built anew.
create table caught_up (
  id integer not null default 1,
  at timestamptz not null default now(),
  constraint caught_up_pk primary key (id),
  constraint caught_up_single check (id = 1)
);

-- A read model that is older than this table has been served from all along.
insert into caught_up (id)
select 1
 where to_regclass('read_model.checkpoint') is not null;
