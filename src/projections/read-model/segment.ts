import { type Tracked, type TrackedSegment } from '../fold/fold.js';
import { whenNewer, type ReadModel, type Table } from '../projection.js';
import { currentStates, heldStates } from './revision-rows.js';
import { revisionTable } from './revision-table.js';

const isSegment = (tracked: Tracked): tracked is TrackedSegment => tracked.category === 'segment';

const columns = {
  project_id: 'text',
  key: 'text',
  name: 'text',
  description: 'text',
  status: 'text',
  tags: 'text[]',
  revision: 'bigint',
  position: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  state: 'jsonb',
};
const current: Table = {
  name: 'segment',
  columns,
  onConflict: `(project_id, key) ${whenNewer('segment', columns, ['project_id', 'key', 'created_at'])}`,
};

const revisions = revisionTable('segment', ['project_id', 'segment_key']);

/** Segments as they are now, and as they were at every revision. migrations/read-model/006. */
export const segment: ReadModel = {
  tables: [current, revisions.table],
  rowsOf: (steps) => [
    {
      table: current,
      rows: currentStates(steps, isSegment).map(({ after, createdAt, updatedAt }) => ({
        project_id: after.projectId,
        key: after.key,
        name: after.state.name,
        description: after.state.description,
        status: after.state.status,
        tags: after.state.tags,
        revision: after.revision,
        position: after.position,
        created_at: createdAt,
        updated_at: updatedAt,
        state: after.state,
      })),
    },
    {
      ...revisions,
      rows: heldStates(steps, isSegment).map(({ after, ...range }) => ({
        project_id: after.projectId,
        segment_key: after.key,
        ...range,
        state: after.state,
      })),
    },
  ],
};
