import { type ExistingOf } from '../../domain/aggregates.js';
import { type Change } from '../../domain/changes.js';
import { type Position } from '../../domain/position.js';
import { type Database } from '../database.js';
import { atBothEnds, type Moment } from '../moments.js';
import { type Provenance, provenanceOf } from '../provenance.js';
import { readRow, type RowOf } from './entity-at.js';
import { type AddressOf, type Kind, KINDS, notYetCreated } from './kinds.js';

/** One end of a diff; `revision`, `status` and `lastChange` are null before it existed. */
type DiffEnd<K extends Kind> = Readonly<{
  position: Position;
  revision: number | null;
  status: ExistingOf<K>['status'] | null;
  lastChange: Provenance | null;
}>;

type DiffOf<K extends Kind> = Readonly<{
  from: DiffEnd<K>;
  to: DiffEnd<K>;
  changes: readonly Change[];
}>;
export type FlagDiff = DiffOf<'flag'>;
export type SegmentDiff = DiffOf<'segment'>;

const endOf = <K extends Kind>({ position }: Moment, row: RowOf<K>): DiffEnd<K> =>
  row.state === null
    ? { position, revision: null, status: null, lastChange: null }
    : {
        position,
        revision: row.revision,
        status: row.state.status,
        lastChange: provenanceOf(row),
      };

/**
 * What changed in one from one position to another; `to` may be the earlier one.
 * @throws DomainError project-not-found, and of its kind -not-found; -not-yet-created when it existed at neither
 */
const entityDiff =
  <K extends Kind>(kind: K) =>
  (db: Database) =>
  async (address: AddressOf<K>, from: Moment, to: Moment): Promise<DiffOf<K>> => {
    const [before, after] = await atBothEnds((end) => readRow(kind)(db)(address, end), from, to);
    if (before.state === null && after.state === null)
      throw notYetCreated(kind, address, before.createdAt.toISOString());
    return {
      from: endOf(from, before),
      to: endOf(to, after),
      changes: KINDS[kind].changesBetween(before.state ?? undefined, after.state ?? undefined),
    };
  };

export const flagDiff = entityDiff('flag');
export const segmentDiff = entityDiff('segment');
