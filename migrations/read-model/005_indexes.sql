-- Apart from the tables, so that a rebuild can load the rows first and index them after.
create index audit_event_by_time on audit_event (recorded_at, position);
create index audit_event_by_organization on audit_event (organization_id, position);
create index audit_event_by_entity on audit_event (organization_id, project_key, entity_key, position);
create unique index audit_event_by_stream on audit_event (stream, revision);
create index project_by_organization on project (organization_id, key);
create unique index project_revision_by_position on project_revision (project_id, position_from);
create unique index flag_revision_by_position on flag_revision (project_id, flag_key, position_from);
create index flag_by_name on flag (project_id, lower(name), key);
create index flag_by_update on flag (project_id, updated_at, key);
create index flag_by_creation on flag (project_id, created_at, key);
create index flag_by_tag on flag using gin (tags);
create index audit_event_by_actor on audit_event (organization_id, actor_id, position);
create index audit_event_by_type on audit_event (organization_id, type, position);
create index audit_event_by_command on audit_event (organization_id, (metadata ->> 'commandId'));
create index audit_event_by_request on audit_event (organization_id, (metadata ->> 'requestId'));
