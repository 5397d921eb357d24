-- Keys of applications, next to the admin credentials. Every change but that of last_used_at raises a row's version, and
-- rows are never deleted: so count(*) and sum(version) together tell whether anything was committed since.
alter table credentials
  add column name text not null default 'Admin credential',
  add column project_key text,
  add column environment_key text,
  add column expires_at timestamptz,
  add column last_used_at timestamptz,
  add column version bigint not null default 1,
  drop constraint credentials_kind_known,
  add constraint credentials_kind_known check (kind in ('admin', 'server', 'client')),
  add constraint credentials_scope_of_kind check (
    (kind = 'admin') = (project_key is null) and (project_key is null) = (environment_key is null)
  );

create index credentials_environment on credentials (organization_id, project_key, environment_key);
