-- The hash chain of each organization: one link per event of audit_event, whose sequence counts from 1 without a gap.
create table audit_chain (
  organization_id text not null,
  sequence bigint not null,
  position bigint not null,
  hash bytea not null,
  constraint audit_chain_pk primary key (organization_id, sequence)
);

-- Links attest the store's own times, which no row has: so the rows are made anew from the log, from its first event.
truncate checkpoint, audit_event, project, project_revision, flag, flag_revision, segment, segment_revision;
