import { withKeys, withoutKeys } from '../key-lists.js';
import { type SegmentContent, type SegmentEvent } from './events.js';

/** A segment that exists; a deleted one keeps all it had. */
export type ExistingSegment = SegmentContent & Readonly<{ status: 'active' | 'deleted' }>;

export type Segment = Readonly<{ status: 'absent' }> | ExistingSegment;

export const absentSegment: Segment = { status: 'absent' };

/** Everything but the status, for events that carry a segment's complete state. */
export const segmentContentOf = (segment: SegmentContent): SegmentContent => ({
  projectId: segment.projectId,
  key: segment.key,
  name: segment.name,
  description: segment.description,
  tags: segment.tags,
  included: segment.included,
  excluded: segment.excluded,
  rules: segment.rules,
});

const active = (content: SegmentContent): ExistingSegment => ({
  ...segmentContentOf(content),
  status: 'active',
});

const keepingKeys = (
  content: SegmentContent,
  { included, excluded }: SegmentContent,
): SegmentContent => ({ ...content, included, excluded });

const evolveExisting = (segment: ExistingSegment, event: SegmentEvent): ExistingSegment => {
  switch (event.type) {
    case 'SegmentCreated':
      return active(event.data);
    case 'SegmentDetailsChanged':
    case 'SegmentKeysChanged':
    case 'SegmentRulesChanged':
      return { ...segment, ...event.data };
    case 'SegmentKeysAdded':
      return {
        ...segment,
        included: withKeys(segment.included, event.data.included),
        excluded: withKeys(segment.excluded, event.data.excluded),
      };
    case 'SegmentKeysRemoved':
      return {
        ...segment,
        included: withoutKeys(segment.included, event.data.included),
        excluded: withoutKeys(segment.excluded, event.data.excluded),
      };
    case 'SegmentImported':
      return segment;
    case 'SegmentDeleted':
      return { ...segment, status: 'deleted' };
    case 'SegmentRestored':
    case 'SegmentReverted':
      return active(
        event.data.keysKept ? keepingKeys(event.data.content, segment) : event.data.content,
      );
  }
};

/** Folds one event into the state. Trusts history: never validates, never throws. */
export const evolveSegment = (segment: Segment, event: SegmentEvent): Segment => {
  if (segment.status !== 'absent') return evolveExisting(segment, event);
  return event.type === 'SegmentCreated' ? active(event.data) : segment;
};
