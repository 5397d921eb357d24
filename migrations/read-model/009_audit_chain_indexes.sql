-- Apart from the table, so that a rebuild can load the rows first and index them after.
create unique index audit_chain_by_position on audit_chain (organization_id, position);
