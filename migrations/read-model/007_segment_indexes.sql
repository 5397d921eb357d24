-- Apart from the tables, so that a rebuild can load the rows first and index them after.
create unique index segment_revision_by_position on segment_revision (project_id, segment_key, position_from);
