import { type Category } from '../../domain/streams.js';
import { type Table } from '../projection.js';

/** A table of revisions, and how the row of the revision before is ended. */
export type RevisionTable = Readonly<{ table: Table; close: string }>;

/** `<entity>_revision`: one row for each revision and the range for which it held. `identity` names its streams. */
export const revisionTable = (
  entity: Category,
  identity: readonly string[],
  more: Readonly<Record<string, string>>,
): RevisionTable => {
  const name = `${entity}_revision`;
  const texts = identity.map((column) => `${column} text`).join(', ');
  const isSame = identity.map((column) => `r.${column} = n.${column}`).join(' and ');
  return {
    table: {
      name,
      columns: {
        ...Object.fromEntries(identity.map((column) => [column, 'text'])),
        revision: 'bigint',
        position_from: 'bigint',
        position_to: 'bigint',
        recorded_from: 'timestamptz',
        recorded_to: 'timestamptz',
        ...more,
        state: 'jsonb',
      },
      key: [...identity, 'revision'],
      stream: identity,
      category: entity,
      onConflict: 'do nothing',
    },
    close: `
      update ${name} r
         set position_to = n.position_from, recorded_to = n.recorded_from
        from jsonb_to_recordset($1::jsonb)
          as n (${texts}, previous bigint, position_from bigint, recorded_from timestamptz)
       where ${isSame}
         and r.revision = n.previous
         and r.position_to is null`,
  };
};
