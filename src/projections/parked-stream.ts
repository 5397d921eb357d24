import { positionInJson } from '../domain/position.js';
import { type Step } from './fold/fold.js';
import { type ReadModel, type Table } from './projection.js';

const table: Table = {
  name: 'parked_stream',
  columns: {
    stream: 'text',
    organization_id: 'text',
    category: 'text',
    revision: 'bigint',
    position: 'bigint',
    type: 'text',
    recorded_at: 'timestamptz',
    error: 'text',
    waiting: 'bigint',
    last_revision: 'bigint',
    last_position: 'bigint',
  },
  stream: ['stream'],
  key: ['stream'],
  onConflict: `do update set waiting = excluded.waiting, last_revision = excluded.last_revision,
                             last_position = excluded.last_position
                where parked_stream.last_revision < excluded.last_revision`,
};

/** Streams that stand still in front of an event that cannot be applied. migrations/read-model/012. */
export const parkedStream: ReadModel<Step> = {
  tables: [table],
  rowsOf: (steps) => {
    const last = new Map(steps.map((step) => [step.event.stream, step]));
    const rows = [...last.values()].flatMap(({ event, parts, after }) =>
      after.category === 'parked'
        ? {
            stream: event.stream,
            organization_id: parts.organizationId,
            category: parts.category,
            ...{ revision: after.since.revision, position: positionInJson(after.since.position) },
            ...{ type: after.since.type, recorded_at: after.since.recordedAt },
            error: after.since.error,
            waiting: after.waiting,
            last_revision: after.revision,
            last_position: positionInJson(after.position),
          }
        : [],
    );
    return [{ table, rows }];
  },
};
