-- Apart from the tables, so that a rebuild can load the rows first and index them after.
create unique index organization_by_position on organization (position);
create unique index organization_revision_by_position on organization_revision (organization_id, position_from);
