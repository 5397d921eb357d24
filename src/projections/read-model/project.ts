import { stateReadModel } from './state-read-model.js';

/** Projects as they are now, and as they were at every revision. migrations/read-model/003. */
export const project = stateReadModel('project', {
  identity: ['project_id'],
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
