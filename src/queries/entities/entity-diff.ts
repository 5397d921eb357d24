import { type Change, changesBetween } from '../../domain/changes.js';
import { segmentChangesBetween } from '../../domain/changes/segment-changes.js';
import { type ExistingFlag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type ExistingSegment } from '../../domain/segment.js';
import { type Database } from '../database.js';
import { atBothEnds, type Moment } from '../moments.js';
import { type Provenance, provenanceOf } from '../provenance.js';
import {
  type FlagAddress,
  flagNotYetCreated,
  type FlagRow,
  readFlagRow,
  readSegmentRow,
  type SegmentAddress,
  segmentNotYetCreated,
  type SegmentRow,
} from './entity-at.js';

/** One end of a diff; `revision`, `status` and `lastChange` are null before the flag existed. */
type DiffEnd = Readonly<{
  position: Position;
  revision: number | null;
  status: ExistingFlag['status'] | null;
  lastChange: Provenance | null;
}>;

export type FlagDiff = Readonly<{ from: DiffEnd; to: DiffEnd; changes: readonly Change[] }>;

const endOf = ({ position }: Moment, row: FlagRow): DiffEnd =>
  row.state === null
    ? { position, revision: null, status: null, lastChange: null }
    : {
        position,
        revision: row.revision,
        status: row.state.status,
        lastChange: provenanceOf(row),
      };

/**
 * What changed in a flag from one position to another; `to` may be the earlier one.
 * @throws DomainError project-not-found, flag-not-found; flag-not-yet-created when it existed at neither
 */
export const flagDiff =
  (db: Database) =>
  async (address: FlagAddress, from: Moment, to: Moment): Promise<FlagDiff> => {
    const [before, after] = await atBothEnds((end) => readFlagRow(db)(address, end), from, to);
    if (before.state === null && after.state === null) {
      throw flagNotYetCreated(address, before.createdAt.toISOString());
    }
    return {
      from: endOf(from, before),
      to: endOf(to, after),
      changes: changesBetween(before.state ?? undefined, after.state ?? undefined),
    };
  };

/** One end of a diff; `revision`, `status` and `lastChange` are null before the segment existed. */
type SegmentDiffEnd = Readonly<{
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

const segmentEndOf = ({ position }: Moment, row: SegmentRow): SegmentDiffEnd =>
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
      from: segmentEndOf(from, before),
      to: segmentEndOf(to, after),
      changes: segmentChangesBetween(before.state ?? undefined, after.state ?? undefined),
    };
  };
