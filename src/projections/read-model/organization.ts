import { type Tracked, type TrackedOrganization } from '../fold/fold.js';
import { whenNewer, type ReadModel, type Table } from '../projection.js';
import { currentStates, heldStates } from './revision-rows.js';
import { revisionTable } from './revision-table.js';

const isOrganization = (tracked: Tracked): tracked is TrackedOrganization =>
  tracked.category === 'organization';

const columns = {
  organization_id: 'text',
  name: 'text',
  revision: 'bigint',
  position: 'bigint',
  created_at: 'timestamptz',
  updated_at: 'timestamptz',
  state: 'jsonb',
};
const current: Table = {
  name: 'organization',
  columns,
  onConflict: `(organization_id) ${whenNewer('organization', columns, ['organization_id', 'created_at'])}`,
};

const revisions = revisionTable('organization', ['organization_id']);

/** Organizations with their members and invitations, now and at every revision. migrations/read-model/010. */
export const organization: ReadModel = {
  tables: [current, revisions.table],
  rowsOf: (steps) => [
    {
      table: current,
      rows: currentStates(steps, isOrganization).map(({ after, createdAt, updatedAt }) => ({
        organization_id: after.organizationId,
        name: after.state.name,
        revision: after.revision,
        position: after.position,
        created_at: createdAt,
        updated_at: updatedAt,
        state: after.state,
      })),
    },
    {
      ...revisions,
      rows: heldStates(steps, isOrganization).map(({ after, ...range }) => ({
        organization_id: after.organizationId,
        ...range,
        state: after.state,
      })),
    },
  ],
};
