import { DomainError } from '../../domain/decider.js';
import { type ExistingSegment, type Segment } from '../../domain/segment.js';

/** Names a segment. */
export type SegmentPlace = Readonly<{ projectId: string; segmentKey: string }>;

/** @throws DomainError `segment-not-found` */
export const requireExistingSegment = (segment: Segment, segmentKey: string): ExistingSegment => {
  if (segment.status === 'absent') {
    throw new DomainError(
      'segment-not-found',
      `There is no segment '${segmentKey}' in this project.`,
    );
  }
  return segment;
};

/** A segment that is not deleted. @throws DomainError `segment-not-found`, `segment-deleted` */
export const requireSegment = (segment: Segment, segmentKey: string): ExistingSegment => {
  const existing = requireExistingSegment(segment, segmentKey);
  if (existing.status === 'deleted') {
    throw new DomainError(
      'segment-deleted',
      `Segment '${segmentKey}' is deleted; restore it first.`,
    );
  }
  return existing;
};
