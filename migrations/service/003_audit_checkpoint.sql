-- Signed statements about the hash chains. They outlive rebuilds of the read model, and are never changed or deleted.
create table audit_checkpoint (
  organization_id text not null,
  count bigint not null,
  statement jsonb not null,
  signature text not null,
  filed_at timestamptz,
  posted_at timestamptz,
  constraint audit_checkpoint_pk primary key (organization_id, count)
);
