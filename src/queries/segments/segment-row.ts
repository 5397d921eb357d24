import { type ExistingSegment } from '../../domain/segment/segment.js';
import { type Fact, factColumns } from '../provenance.js';
import { segmentView, type SegmentView } from './segment-view.js';

/** A segment joined with the revision that held at a position; `state` is null when it did not exist yet. */
export type SegmentRow = Fact & {
  key: string;
  createdAt: Date;
  state: ExistingSegment | null;
  nextPosition: number | null;
  nextAt: Date | null;
};

/**
 * The latest revision of segment `s` at or before a position, one step down an index per segment.
 * @param position the SQL of the position
 */
export const segmentRevisionAt = (position: string): string =>
  `select h.revision, h.position_from, h.position_to, h.recorded_from, h.recorded_to, h.state
     from segment_revision h
    where h.project_id = s.project_id
      and h.segment_key = s.key
      and h.position_from <= ${position}
    order by h.position_from desc
    limit 1`;

/** Select list of a SegmentRow, from segment s, its revision r and that revision's event e. */
export const SEGMENT_COLUMNS = `s.key, s.created_at as "createdAt", r.state,
   r.position_to::float8 as "nextPosition", r.recorded_to as "nextAt", ${factColumns('e')}`;

export const viewOfRow = (row: SegmentRow, state: ExistingSegment): SegmentView => {
  const { nextPosition, nextAt } = row;
  const next =
    nextPosition === null || nextAt === null
      ? undefined
      : { position: nextPosition, recordedAt: nextAt };
  return segmentView({ state, createdAt: row.createdAt, last: row, next });
};
