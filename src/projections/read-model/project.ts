import { type Tracked, type TrackedProject } from '../fold/fold.js';
import { whenNewer, type ReadModel, type Table } from '../projection.js';
import { currentStates, heldStates } from './revision-rows.js';
import { revisionTable } from './revision-table.js';

const isProject = (tracked: Tracked): tracked is TrackedProject => tracked.category === 'project';

const columns = {
  project_id: 'text',
  organization_id: 'text',
  key: 'text',
  name: 'text',
  status: 'text',
  revision: 'bigint',
  position: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  state: 'jsonb',
};
const current: Table = {
  name: 'project',
  columns,
  onConflict: `(project_id) ${whenNewer('project', columns, ['project_id', 'created_at'])}`,
};

const revisions = revisionTable('project', ['project_id']);

/** Projects as they are now, and as they were at every revision. migrations/read-model/003. */
export const project: ReadModel = {
  tables: [current, revisions.table],
  rowsOf: (steps) => [
    {
      table: current,
      rows: currentStates(steps, isProject).map(({ after, createdAt, updatedAt }) => ({
        project_id: after.projectId,
        organization_id: after.state.organizationId,
        key: after.state.key,
        name: after.state.name,
        status: after.state.status,
        revision: after.revision,
        position: after.position,
        created_at: createdAt,
        updated_at: updatedAt,
        state: after.state,
      })),
    },
    {
      ...revisions,
      rows: heldStates(steps, isProject).map(({ after, ...range }) => ({
        project_id: after.projectId,
        ...range,
        state: after.state,
      })),
    },
  ],
};
