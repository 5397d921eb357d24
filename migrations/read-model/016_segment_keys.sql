-- Where `keys_from` is not null the state leaves out the lists of keys: they are those that the segment had at that
-- revision, with what the events after it say. So an edit of one key makes a small row, however long the lists are.
-- `keys_since`: how many keys came and went since.
alter table segment add column keys_from bigint, add column keys_since bigint not null default 0;
alter table segment_revision add column keys_from bigint;

-- A segment's state with its lists. Arguments: the columns of its row.
create function segment_state(of_project text, of_key text, of_revision bigint, held jsonb, base bigint)
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
