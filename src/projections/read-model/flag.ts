import { stateReadModel } from './state-read-model.js';

/** Flags as they are now, and as they were at every revision. migrations/read-model/004. */
export const flag = stateReadModel('flag', {
  identity: ['project_id', 'key'],
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
