import { stateReadModel } from './state-read-model.js';

/** Segments as they are now, and as they were at every revision. migrations/read-model/006. */
export const segment = stateReadModel('segment', {
  identity: ['project_id', 'key'],
  columns: {
    project_id: 'text',
    key: 'text',
    name: 'text',
    description: 'text',
    status: 'text',
    tags: 'text[]',
  },
  rowOf: ({ projectId, key, state: { name, description, status, tags } }) => ({
    project_id: projectId,
    key,
    name,
    description,
    status,
    tags,
  }),
});
