-- Current state of organizations: members and invitations.
create table organization (
  organization_id text not null,
  name text not null,
  revision bigint not null,
  position bigint not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  state jsonb not null,
  constraint organization_pk primary key (organization_id)
);

-- One row per revision: the half-open range of positions and of time for which the state held.
create table organization_revision (
  organization_id text not null,
  revision bigint not null,
  position_from bigint not null,
  position_to bigint,
  recorded_from timestamptz not null,
  recorded_to timestamptz,
  state jsonb not null,
  constraint organization_revision_pk primary key (organization_id, revision)
);

-- Until now the registration was the one event of an organization, and it had no owner.
insert into organization_revision (organization_id, revision, position_from, recorded_from, state)
select e.organization_id, e.revision, e.position, e.recorded_at,
       jsonb_build_object('status', 'active', 'name', e.data -> 'name',
                          'members', '[]'::jsonb, 'invitations', '[]'::jsonb)
  from audit_event e
 where e.type = 'OrganizationRegistered';

insert into organization (organization_id, name, revision, position, created_at, updated_at, state)
select r.organization_id, r.state ->> 'name', r.revision, r.position_from, r.recorded_from,
       r.recorded_from, r.state
  from organization_revision r;
