import { type Event } from './decider.js';
import { type MergeBase } from './merge-base.js';
import { type Clause } from './targeting/clause.js';
import { withKeys, withoutKeys } from './targeting/key-lists.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

/** A way into a segment: all clauses must be true. */
export type SegmentRule = Readonly<{
  /** Stays with the rule through every change. */
  id: string;
  description: string;
  clauses: readonly Clause[];
}>;

/** Everything about a segment but its status; what a restore or a revert carries. */
export type SegmentContent = Readonly<{
  projectId: string;
  key: string;
  name: string;
  description: string;
  tags: readonly string[];
  /** Targeting keys that are members whatever the rules say. No key is in both lists. */
  included: readonly string[];
  /** Targeting keys that never are. */
  excluded: readonly string[];
  rules: readonly SegmentRule[];
}>;

/**
 * The complete content and the revision it was taken from. `keysKept`: the lists in it are empty, and those of the
 * segment stay; what changes of them is told by events of their own, next to this one.
 */
type Snapshot = { content: SegmentContent; fromRevision: number; keysKept?: true };

/** Targeting keys by the list that they come into, or leave. */
type KeyLists = { included: readonly string[]; excluded: readonly string[] };

type SegmentCreated = Event<'SegmentCreated', SegmentContent>;
type SegmentDetailsChanged = Event<
  'SegmentDetailsChanged',
  { name: string; description: string; tags: readonly string[] }
>;
/** The whole lists. Not written any more: an edit of one key would repeat all others. */
type SegmentKeysChanged = Event<'SegmentKeysChanged', KeyLists>;
/** Keys that were in neither list, behind those that are there. */
type SegmentKeysAdded = Event<'SegmentKeysAdded', KeyLists>;
/** Keys that were in these lists. */
type SegmentKeysRemoved = Event<'SegmentKeysRemoved', KeyLists>;
type SegmentRulesChanged = Event<'SegmentRulesChanged', { rules: readonly SegmentRule[] }>;
/** What the next import compares with. It changes nothing by itself. */
type SegmentImported = Event<'SegmentImported', { fields: MergeBase }>;
type SegmentDeleted = Event<'SegmentDeleted', Record<string, never>>;
type SegmentRestored = Event<'SegmentRestored', Snapshot>;
export type SegmentReverted = Event<'SegmentReverted', Snapshot>;

export type SegmentEvent =
  | SegmentCreated
  | SegmentDetailsChanged
  | SegmentKeysChanged
  | SegmentKeysAdded
  | SegmentKeysRemoved
  | SegmentRulesChanged
  | SegmentImported
  | SegmentDeleted
  | SegmentRestored
  | SegmentReverted;

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
