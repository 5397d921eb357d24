import { type DomainEvent } from '../../domain/catalogue.js';
import { type ReadModel, type Table } from '../projection.js';

const table: Table = {
  name: 'audit_event',
  columns: {
    position: 'bigint',
    event_id: 'uuid',
    category: 'text',
    stream: 'text',
    revision: 'bigint',
    organization_id: 'text',
    project_key: 'text',
    entity_key: 'text',
    environment: 'text',
    type: 'text',
    actor_id: 'text',
    recorded_at: 'timestamptz',
    data: 'jsonb',
    metadata: 'jsonb',
  },
  key: ['position'],
  onConflict: 'do nothing',
};

/** The environment that an event is about; for a promotion, the one that it changed. */
const environmentOf = (event: DomainEvent): string | null => {
  if (event.type === 'FlagPromoted') return event.data.to;
  return 'environment' in event.data ? event.data.environment : null;
};

/** One row per event, for the audit trail, histories, and time → position. migrations/read-model/002. */
export const auditEvent: ReadModel = {
  tables: [table],
  rowsOf: (steps) => [
    {
      table,
      rows: steps.map(({ event, parts }) => ({
        position: event.position,
        event_id: event.id,
        category: parts.category,
        stream: event.stream,
        revision: event.revision,
        organization_id: parts.organizationId,
        project_key: parts.projectKey,
        entity_key: parts.key,
        environment: environmentOf(event),
        type: event.type,
        actor_id: event.metadata.actor.id,
        recorded_at: event.recordedAt,
        data: event.data,
        metadata: event.metadata,
      })),
    },
  ],
};
