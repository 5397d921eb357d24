import { type Position } from '../../domain/position.js';
import {
  type ExistingSegment,
  type SegmentContent,
  segmentContentOf,
} from '../../domain/segment.js';
import { type Fact, type Provenance, provenanceOf, timeText } from '../provenance.js';

/** How a segment was at one log position. */
export type SegmentView = Omit<SegmentContent, 'projectId'> &
  Readonly<{
    status: ExistingSegment['status'];
    /** Of its stream; grows by one with each change. */
    revision: number;
    createdAt: string;
    updatedAt: string;
    /** The event that made it what it was; of a deleted segment, its deletion. */
    lastChange: Provenance;
    /** When the next change came; null while nothing has. */
    heldUntil: Readonly<{ position: Position; recordedAt: string }> | null;
  }>;

/** What a view is made of; `last` is the event that led to `state`, `next` the one after it. */
export type SegmentMoment = Readonly<{
  state: ExistingSegment;
  createdAt: string | Date;
  last: Fact;
  next?: Readonly<{ position: Position; recordedAt: string | Date }> | undefined;
}>;

export const segmentView = ({ state, createdAt, last, next }: SegmentMoment): SegmentView => {
  const { projectId, ...content } = segmentContentOf(state);
  return {
    ...content,
    status: state.status,
    revision: last.revision,
    createdAt: timeText(createdAt),
    updatedAt: timeText(last.recordedAt),
    lastChange: provenanceOf(last),
    heldUntil: next ? { position: next.position, recordedAt: timeText(next.recordedAt) } : null,
  };
};
