import { type TrackedSegment } from '../fold/tracked.js';
import { stateReadModel } from './state-read-model.js';

const keysFrom = ({ lists }: TrackedSegment): number | null =>
  lists !== undefined && lists.since > 0 ? lists.from : null;

/** Without the lists when they follow from another row and the events since; with how long they are. */
const storedState = (after: TrackedSegment): unknown => {
  if (keysFrom(after) === null) return after.state;
  const { included, excluded, ...state } = after.state;
  return { ...state, counts: { included: included.length, excluded: excluded.length } };
};

/** Segments as they are now, and as they were at every revision. migrations/read-model/006 and 016. */
export const segment = stateReadModel('segment', {
  identity: ['project_id', 'key'],
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
