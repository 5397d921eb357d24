import { DomainError } from '../../domain/decider.js';
import { type Recorded } from '../../domain/recorded.js';
import { type SegmentContent, type SegmentEvent } from '../../domain/segment/events.js';
import {
  absentSegment,
  evolveSegment,
  type ExistingSegment,
  type Segment,
  segmentContentOf,
} from '../../domain/segment/segment.js';
import { NO_STREAM } from '../event-store.js';
import { historyAt, type Moment } from '../history-at.js';

/** A segment as it was right after one of its revisions. */
export type SegmentSnapshot = Readonly<{ segment: ExistingSegment; revision: number }>;

/** What an event that brings a snapshot back carries. */
export const segmentSnapshotData = ({
  segment,
  revision,
}: SegmentSnapshot): { content: SegmentContent; fromRevision: number } => ({
  content: segmentContentOf(segment),
  fromRevision: revision,
});

/**
 * The segment as it was at a moment. `toMs` turns RFC 3339 into epoch milliseconds.
 * @throws DomainError `segment-not-found`, `revision-not-found`, `segment-not-yet-created`
 */
export const segmentSnapshotAt = (
  history: readonly Recorded<SegmentEvent>[],
  moment: Moment,
  toMs: (time: string) => number,
): SegmentSnapshot => {
  if (history.length === 0) throw new DomainError('segment-not-found', 'There is no such segment.');
  const seen = historyAt(history, moment, { toMs, deletion: 'SegmentDeleted' });
  const segment = seen.reduce<Segment>(evolveSegment, absentSegment);
  if (segment.status === 'absent') {
    throw new DomainError('segment-not-yet-created', 'The segment did not exist at that moment.');
  }
  return { segment, revision: seen.at(-1)?.revision ?? NO_STREAM };
};
