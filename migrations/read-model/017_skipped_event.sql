-- Events that an operator said are passed by: `skipped_stream` and `skipped_revision` name the event; the other columns are
-- those of the event that says so.
create table skipped_event (
  stream text not null,
  organization_id text not null,
  revision bigint not null,
  position bigint not null,
  recorded_at timestamptz not null,
  skipped_stream text not null,
  skipped_revision bigint not null,
  skipped_position bigint,
  skipped_type text,
  reason text,
  constraint skipped_event_pk primary key (skipped_stream, skipped_revision)
);

-- A segment's state with its lists, without events that are passed by. Arguments: the columns of its row.
create or replace function segment_state(of_project text, of_key text, of_revision bigint, held jsonb, base bigint)
returns jsonb
language sql
stable
as $$
  select case when base is null then held else (held - 'counts') || (
    with change (list, key, at, nth, is_there) as (
      select l.list, k.key, base, k.nth, true
        from segment_revision r
       cross join lateral (values ('included'), ('excluded')) as l (list)
       cross join lateral jsonb_array_elements_text(r.state -> l.list) with ordinality as k (key, nth)
       where r.project_id = of_project
         and r.segment_key = of_key
         and r.revision = base
       union all
      select l.list, k.key, e.revision, k.nth, e.type = 'SegmentKeysAdded'
        from audit_event e
       cross join lateral (values ('included'), ('excluded')) as l (list)
       cross join lateral jsonb_array_elements_text(e.data -> l.list) with ordinality as k (key, nth)
       where e.stream = 'segment-' || of_project || ':' || of_key
         and e.revision > base
         and e.revision <= of_revision
         and e.type in ('SegmentKeysAdded', 'SegmentKeysRemoved')
         and not exists (select from skipped_event k
                          where k.skipped_stream = e.stream and k.skipped_revision = e.revision)
    ), latest as (
      select distinct on (c.list, c.key) c.list, c.key, c.at, c.nth, c.is_there
        from change c
       order by c.list, c.key, c.at desc
    )
    select jsonb_build_object(
             'included', coalesce(jsonb_agg(t.key order by t.at, t.nth) filter (where t.list = 'included'), '[]'),
             'excluded', coalesce(jsonb_agg(t.key order by t.at, t.nth) filter (where t.list = 'excluded'), '[]'))
      from latest t
     where t.is_there
  ) end
$$;
