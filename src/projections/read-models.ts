import { positionInJson } from '../domain/position.js';
import { type Metadata } from '../domain/recorded.js';
import { type LogEvent } from './event-log.js';
import { type Step } from './fold/fold.js';
import { type TrackedSegment, type WithState } from './fold/tracked.js';
import { storableText } from './fold/understand.js';
import { parkedStream } from './parked-stream.js';
import { type ReadModel, type Table } from './projection.js';
import { skippedEvent } from './skipped-event.js';
import { stateReadModel } from './state-read-model.js';

const chainTable: Table = {
  name: 'audit_chain',
  columns: {
    organization_id: 'text',
    sequence: 'bigint',
    position: 'bigint',
    hash: 'bytea',
  },
  stream: ['organization_id'],
  key: ['organization_id', 'sequence'],
  onConflict: 'do nothing',
};

/** One link per event, for proofs and to find what was altered in the log. migrations/read-model/008. */
const auditChain: ReadModel = {
  tables: [chainTable],
  rowsOf: (steps) => [
    {
      table: chainTable,
      rows: steps.map(({ event, parts, link }) => ({
        organization_id: parts.organizationId,
        sequence: link.sequence,
        position: positionInJson(event.position),
        hash: `\\x${link.hash}`,
      })),
    },
  ],
};

const eventTable: Table = {
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
const auditEvent: ReadModel = {
  tables: [eventTable],
  rowsOf: (steps) => [
    {
      table: eventTable,
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

/** Flags as they are now, and as they were at every revision. migrations/read-model/004. */
const flag = stateReadModel('flag', {
  columns: {
    project_id: 'text',
    key: 'text',
    name: 'text',
    description: 'text',
    type: 'text',
    status: 'text',
    tags: 'text[]',
  },
  rowOf: ({ projectId, key, state: { name, description, type, status, tags } }) => ({
    project_id: projectId,
    key,
    name,
    description,
    type,
    status,
    tags,
  }),
});

/** Organizations with their members and invitations, now and at every revision. migrations/read-model/010. */
const organization = stateReadModel('organization', {
  columns: { organization_id: 'text', name: 'text' },
  rowOf: ({ organizationId, state: { name } }) => ({ organization_id: organizationId, name }),
});

/** Projects as they are now, and as they were at every revision. migrations/read-model/003. */
const project = stateReadModel('project', {
  columns: {
    project_id: 'text',
    organization_id: 'text',
    key: 'text',
    name: 'text',
    status: 'text',
  },
  rowOf: ({ projectId, state: { organizationId, key, name, status } }) => ({
    project_id: projectId,
    organization_id: organizationId,
    key,
    name,
    status,
  }),
});

const keysFrom = ({ lists }: TrackedSegment): number | null =>
  lists !== undefined && lists.since > 0 ? lists.from : null;

/** Without the lists when they follow from another row and the events since; with how long they are. */
const storedState = (after: TrackedSegment): unknown => {
  if (keysFrom(after) === null) return after.state;
  const { included, excluded, ...state } = after.state;
  return { ...state, counts: { included: included.length, excluded: excluded.length } };
};

/** Segments as they are now, and as they were at every revision. migrations/read-model/006 and 016. */
const segment = stateReadModel('segment', {
  columns: {
    project_id: 'text',
    key: 'text',
    name: 'text',
    description: 'text',
    status: 'text',
    tags: 'text[]',
    keys_from: 'bigint',
    keys_since: 'bigint',
  },
  rowOf: (after) => ({
    project_id: after.projectId,
    key: after.key,
    name: after.state.name,
    description: after.state.description,
    status: after.state.status,
    tags: after.state.tags,
    keys_from: keysFrom(after),
    keys_since: after.lists?.since ?? 0,
  }),
  storedState,
  revisionColumns: { keys_from: 'bigint' },
  revisionRowOf: (after) => ({ keys_from: keysFrom(after) }),
});

const states: Readonly<Record<WithState['category'], ReadModel<Step>>> = {
  organization,
  project,
  flag,
  segment,
};

/** What follows from the events of one stream alone. */
export const STREAM_MODELS: readonly ReadModel<Step>[] = [
  ...Object.values(states),
  parkedStream,
  skippedEvent,
];

/** Everything that Postgres holds of the log. One projector writes all of it under one checkpoint. */
export const READ_MODELS: readonly ReadModel[] = [auditEvent, auditChain, ...STREAM_MODELS];

/** The name of that checkpoint. */
export const READ_MODEL = 'read_model';
