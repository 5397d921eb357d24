-- Whose personal data is in the log, and the key that each one's texts are sealed with, itself sealed with the master
-- key. Erasing a person empties both and leaves the row. lookup: a keyed digest of the value; it stays for a minute
-- after an erasure, so that a command that was under way cannot bring the person back.
create table personal_subject (
  subject_id text not null,
  organization_id text not null,
  lookup bytea,
  wrapped_key bytea,
  created_at timestamptz not null default now(),
  erased_at timestamptz,
  -- The order in which erasures were committed; processes look for new ones.
  erasure bigint,
  -- Of the event that tells of the erasure, for as long as that is not in the log; then its position.
  metadata jsonb,
  position bigint,
  constraint personal_subject_pk primary key (subject_id),
  constraint personal_subject_erased_has_no_key check ((erased_at is null) = (wrapped_key is not null)),
  constraint personal_subject_erasures_are_ordered check ((erased_at is null) = (erasure is null))
);

create unique index personal_subject_by_lookup on personal_subject (organization_id, lookup) where erased_at is null;
create index personal_subject_erased_lookup on personal_subject (organization_id, lookup) where erased_at is not null;
create unique index personal_subject_by_erasure on personal_subject (erasure) where erasure is not null;
