import { type Change } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type Position } from '../../domain/position.js';
import { type ExistingSegment } from '../../domain/segment/segment.js';
import { type Database } from '../database.js';
import { atBothEnds } from '../moments/at-both-ends.js';
import { type Moment } from '../moments/resolve-moment.js';
import { type Provenance, provenanceOf } from '../provenance.js';
import { readSegmentRow, type SegmentAddress, segmentNotYetCreated } from './get-segment.js';
import { type SegmentRow } from './segment-row.js';

/** One end of a diff; `revision`, `status` and `lastChange` are null before the segment existed. */
export type SegmentDiffEnd = Readonly<{
  position: Position;
  revision: number | null;
  status: ExistingSegment['status'] | null;
  lastChange: Provenance | null;
}>;

export type SegmentDiff = Readonly<{
  from: SegmentDiffEnd;
  to: SegmentDiffEnd;
  changes: readonly Change[];
}>;

const endOf = ({ position }: Moment, row: SegmentRow): SegmentDiffEnd =>
  row.state === null
    ? { position, revision: null, status: null, lastChange: null }
    : { position, revision: row.revision, status: row.state.status, lastChange: provenanceOf(row) };

/**
 * What changed in a segment from one position to another; `to` may be the earlier one.
 * @throws DomainError project-not-found, segment-not-found; segment-not-yet-created when it existed at neither
 */
export const segmentDiff =
  (db: Database) =>
  async (address: SegmentAddress, from: Moment, to: Moment): Promise<SegmentDiff> => {
    const [before, after] = await atBothEnds((end) => readSegmentRow(db)(address, end), from, to);
    if (before.state === null && after.state === null) {
      throw segmentNotYetCreated(address, before.createdAt.toISOString());
    }
    return {
      from: endOf(from, before),
      to: endOf(to, after),
      changes: segmentChangesBetween(before.state ?? undefined, after.state ?? undefined),
    };
  };
