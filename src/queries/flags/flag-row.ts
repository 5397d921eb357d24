import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type Fact, factColumns } from '../provenance.js';
import { flagView, type FlagView } from './flag-view.js';

/** A flag joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type FlagRow = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingFlag | null;
  nextPosition: Position | null;
  nextAt: Date | null;
};

/**
 * The latest revision of flag `f` at or before a position, one step down an index per flag.
 * @param position the SQL of the position
 */
export const revisionAt = (position: string): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, h.state
     from flag_revision h
    where h.project_id = f.project_id
      and h.flag_key = f.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/** Select list of a FlagRow, from flag f, its revision r and that revision's event e. */
export const FLAG_COLUMNS = `f.key, f.created_at as "createdAt", r.state,
   r.position_to as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}`;

export const viewOfRow = (row: FlagRow, state: ExistingFlag): FlagView => {
  const { nextPosition, nextAt } = row;
  const next =
    nextPosition === null || nextAt === null
      ? undefined
      : { position: nextPosition, recordedAt: nextAt };
  return flagView({ state, createdAt: row.createdAt, last: row, next });
};
