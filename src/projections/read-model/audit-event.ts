import { type Metadata } from '../../domain/metadata.js';
import { positionInJson } from '../../domain/position.js';
import { type LogEvent } from '../event-log.js';
import { type Step } from '../fold/fold.js';
import { storableText } from '../fold/storable.js';
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
  stream: ['stream'],
  key: ['position'],
  onConflict: 'do nothing',
};

/** The environment that an event is about; for a promotion, the one that it changed. */
const environmentOf = ({ type, data }: LogEvent): string | null => {
  const { to, environment }: Readonly<Record<string, unknown>> = { ...data };
  const named = type === 'FlagPromoted' ? to : environment;
  return typeof named === 'string' ? named : null;
};

/** In place of what cannot be stored or decoded. */
const NOTHING_KNOWN: Metadata = {
  actor: { id: 'unknown', type: 'system', authMethod: 'none' },
  commandId: '',
  commandHash: '',
  correlationId: '',
  causationId: '',
  requestId: '',
  schemaVersion: 0,
};

/** What an event says, and who says it; of one that cannot be stored, nothing. */
const contentOf = ({ event, isAuditable }: Step) => {
  const { metadata = NOTHING_KNOWN } = isAuditable ? event : {};
  return {
    environment: isAuditable ? environmentOf(event) : null,
    type: isAuditable ? event.type : storableText(event.type),
    actor_id: metadata.actor.id,
    data: isAuditable ? event.data : {},
    metadata,
  };
};

/** One row per event, for the audit trail, histories, and time → position. migrations/read-model/002. */
export const auditEvent: ReadModel = {
  tables: [table],
  rowsOf: (steps) => [
    {
      table,
      rows: steps.map((step) => ({
        position: positionInJson(step.event.position),
        event_id: step.event.id,
        category: step.parts.category,
        stream: step.event.stream,
        revision: step.event.revision,
        organization_id: step.parts.organizationId,
        project_key: step.parts.projectKey,
        entity_key: step.parts.key,
        recorded_at: step.event.recordedAt,
        ...contentOf(step),
      })),
    },
  ],
};
