-- Apart from the table, so that a rebuild can load the rows first and index them after.
create index parked_stream_by_organization on parked_stream (organization_id, position);
