import { type Event } from '../decider.js';
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

/** The complete content and the revision it was taken from. */
type Snapshot = { content: SegmentContent; fromRevision: number };

export type SegmentCreated = Event<'SegmentCreated', SegmentContent>;
export type SegmentDetailsChanged = Event<
  'SegmentDetailsChanged',
  { name: string; description: string; tags: readonly string[] }
>;
export type SegmentKeysChanged = Event<
  'SegmentKeysChanged',
  { included: readonly string[]; excluded: readonly string[] }
>;
export type SegmentRulesChanged = Event<'SegmentRulesChanged', { rules: readonly SegmentRule[] }>;
export type SegmentDeleted = Event<'SegmentDeleted', Record<string, never>>;
export type SegmentRestored = Event<'SegmentRestored', Snapshot>;
export type SegmentReverted = Event<'SegmentReverted', Snapshot>;

export type SegmentEvent =
  | SegmentCreated
  | SegmentDetailsChanged
  | SegmentKeysChanged
  | SegmentRulesChanged
  | SegmentDeleted
  | SegmentRestored
  | SegmentReverted;
