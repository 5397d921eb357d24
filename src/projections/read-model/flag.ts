import { type Tracked, type TrackedFlag } from '../fold/fold.js';
import { whenNewer, type ReadModel, type Table } from '../projection.js';
import { currentStates, heldStates } from './revision-rows.js';
import { revisionTable } from './revision-table.js';

const isFlag = (tracked: Tracked): tracked is TrackedFlag => tracked.category === 'flag';

const columns = {
  project_id: 'text',
  key: 'text',
  name: 'text',
  description: 'text',
  type: 'text',
  status: 'text',
  tags: 'text[]',
  revision: 'bigint',
  position: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  state: 'jsonb',
};
const current: Table = {
  name: 'flag',
  columns,
  onConflict: `(project_id, key) ${whenNewer('flag', columns, ['project_id', 'key', 'created_at'])}`,
};

const revisions = revisionTable('flag', ['project_id', 'flag_key']);

/** Flags as they are now, and as they were at every revision. migrations/read-model/004. */
export const flag: ReadModel = {
  tables: [current, revisions.table],
  rowsOf: (steps) => [
    {
      table: current,
      rows: currentStates(steps, isFlag).map(({ after, createdAt, updatedAt }) => ({
        project_id: after.projectId,
        key: after.key,
        name: after.state.name,
        description: after.state.description,
        type: after.state.type,
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
      rows: heldStates(steps, isFlag).map(({ after, ...range }) => ({
        project_id: after.projectId,
        flag_key: after.key,
        ...range,
        state: after.state,
      })),
    },
  ],
};
