import { type Event } from '../decider.js';
import { type MergeBase } from '../merge-base.js';
import { type Clause } from '../targeting/clause.js';

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

export type SegmentCreated = Event<'SegmentCreated', SegmentContent>;
export type SegmentDetailsChanged = Event<
  'SegmentDetailsChanged',
  { name: string; description: string; tags: readonly string[] }
>;
/** The whole lists. Not written any more: an edit of one key would repeat all others. */
export type SegmentKeysChanged = Event<'SegmentKeysChanged', KeyLists>;
/** Keys that were in neither list, behind those that are there. */
export type SegmentKeysAdded = Event<'SegmentKeysAdded', KeyLists>;
/** Keys that were in these lists. */
export type SegmentKeysRemoved = Event<'SegmentKeysRemoved', KeyLists>;
export type SegmentRulesChanged = Event<'SegmentRulesChanged', { rules: readonly SegmentRule[] }>;
/** What the next import compares with. It changes nothing by itself. */
export type SegmentImported = Event<'SegmentImported', { fields: MergeBase }>;
export type SegmentDeleted = Event<'SegmentDeleted', Record<string, never>>;
export type SegmentRestored = Event<'SegmentRestored', Snapshot>;
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
