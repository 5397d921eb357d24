-- Signed checkpoints over events that the log does not have any more, because it was restored from an older back-up.
-- What was signed is kept: it proves that the events were there.
create table void_audit_checkpoint (
  organization_id text not null,
  count bigint not null,
  statement jsonb not null,
  signature text not null,
  voided_at timestamptz not null default now(),
  constraint void_audit_checkpoint_pk primary key (organization_id, count, signature)
);
