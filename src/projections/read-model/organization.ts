import { stateReadModel } from './state-read-model.js';

/** Organizations with their members and invitations, now and at every revision. migrations/read-model/010. */
export const organization = stateReadModel('organization', {
  identity: ['organization_id'],
  columns: { organization_id: 'text', name: 'text' },
  rowOf: ({ organizationId, state: { name } }) => ({ organization_id: organizationId, name }),
});
