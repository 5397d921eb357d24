import { isPosition, positionInJson } from '../domain/position.js';
import { skippedBy } from '../domain/skipped-events.js';
import { type Step } from './fold/fold.js';
import { type ReadModel, type Table } from './projection.js';

const table: Table = {
  name: 'skipped_event',
  columns: {
    stream: 'text',
    organization_id: 'text',
    revision: 'bigint',
    position: 'bigint',
    recorded_at: 'timestamptz',
    skipped_stream: 'text',
    skipped_revision: 'bigint',
    skipped_position: 'bigint',
    skipped_type: 'text',
    reason: 'text',
  },
  stream: ['stream'],
  key: ['skipped_stream', 'skipped_revision'],
  category: 'operations',
  onConflict: 'do nothing',
};

/** A position as events have it: a number, or digits where a double does not hold it. */
const placeIn = (value: unknown): unknown => (isPosition(String(value)) ? value : null);
const textIn = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Events that operators said are skipped. migrations/read-model/017. */
export const skippedEvent: ReadModel<Step> = {
  tables: [table],
  rowsOf: (steps) => {
    const rows = steps.flatMap(({ event, parts, after }) => {
      const skipped = after.category === 'operations' ? skippedBy(event) : undefined;
      if (skipped === undefined) return [];
      const { position, type, reason } = event.data as Readonly<Record<string, unknown>>;
      return {
        ...{ stream: event.stream, organization_id: parts.organizationId },
        ...{
          revision: event.revision,
          position: positionInJson(event.position),
          recorded_at: event.recordedAt,
        },
        ...{ skipped_stream: skipped.stream, skipped_revision: skipped.revision },
        skipped_position: placeIn(position),
        skipped_type: textIn(type),
        reason: textIn(reason),
      };
    });
    return [{ table, rows }];
  },
};
