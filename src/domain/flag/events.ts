import { type Event } from '../decider.js';
import { type MergeBase } from '../merge-base.js';
import {
  type Configuration,
  type FlagType,
  type Prerequisite,
  type Rule,
  type Serve,
  type Target,
  type Variant,
} from './configuration.js';

// Names and shapes are the storage format: add optional fields, never rename or re-mean.

export type FlagMetadata = Readonly<Record<string, string | number | boolean>>;

/** Everything about a flag but its status; what a restore, a revert or a copy carries. */
export type FlagContent = Readonly<{
  projectId: string;
  key: string;
  name: string;
  description: string;
  tags: readonly string[];
  /** The team's own facts about the flag, handed to applications with every answer. Absent when there are none. */
  metadata?: FlagMetadata;
  type: FlagType;
  variants: readonly Variant[];
  /** Hashed in front of the bucketing value; the flag's key unless given. */
  salt: string;
  /** Holds for every environment that has no configuration of its own. */
  defaults: Configuration;
  environments: Readonly<Record<string, Configuration>>;
}>;

export type LiveStatus = 'active' | 'archived';

/** The complete content and the revision it was taken from. */
type Snapshot = { content: FlagContent; status: LiveStatus; fromRevision: number } & TargetsKept;

/**
 * `targetsKept`: the targets of environments in it are empty, and those of the flag stay; what changes of them is told
 * by events of their own, next to this one.
 */
type TargetsKept = { targetsKept?: true };

export type FlagCreated = Event<
  'FlagCreated',
  FlagContent & { copiedFrom?: { projectId: string; flagKey: string; revision: number } }
>;
export type FlagDetailsChanged = Event<
  'FlagDetailsChanged',
  { name: string; description: string; tags: readonly string[]; metadata?: FlagMetadata }
>;
export type FlagVariantsChanged = Event<'FlagVariantsChanged', { variants: readonly Variant[] }>;
export type FlagEnabled = Event<'FlagEnabled', { environment: string }>;
export type FlagDisabled = Event<'FlagDisabled', { environment: string }>;
export type FlagOffVariantChanged = Event<
  'FlagOffVariantChanged',
  { environment: string; offVariant: string | null }
>;
export type FlagRolloutChanged = Event<
  'FlagRolloutChanged',
  { environment: string; fallthrough: Serve }
>;
/** The whole list. Not written any more: an edit of one key would repeat all others. */
export type FlagTargetsChanged = Event<
  'FlagTargetsChanged',
  { environment: string; targets: readonly Target[] }
>;
/** Keys that were no targets, behind those that are there. */
export type FlagTargetsAdded = Event<
  'FlagTargetsAdded',
  { environment: string; targets: readonly Target[] }
>;
/** Keys that were targets of these variants. */
export type FlagTargetsRemoved = Event<
  'FlagTargetsRemoved',
  { environment: string; targets: readonly Target[] }
>;
export type FlagRulesChanged = Event<
  'FlagRulesChanged',
  { environment: string; rules: readonly Rule[] }
>;
export type FlagPrerequisitesChanged = Event<
  'FlagPrerequisitesChanged',
  { environment: string; prerequisites: readonly Prerequisite[] }
>;
export type FlagPromoted = Event<
  'FlagPromoted',
  {
    from: string;
    to: string;
    configuration: Configuration;
    /** What the next promotion compares with. Absent in older events. */
    fields?: MergeBase;
  } & TargetsKept
>;
/** What the next import compares with. It changes nothing by itself. */
export type FlagImported = Event<'FlagImported', { fields: MergeBase }>;
export type FlagArchived = Event<'FlagArchived', Record<string, never>>;
export type FlagUnarchived = Event<'FlagUnarchived', Record<string, never>>;
export type FlagDeleted = Event<'FlagDeleted', Record<string, never>>;
export type FlagRestored = Event<'FlagRestored', Snapshot>;
export type FlagReverted = Event<'FlagReverted', Snapshot>;

export type FlagEvent =
  | FlagCreated
  | FlagDetailsChanged
  | FlagVariantsChanged
  | FlagEnabled
  | FlagDisabled
  | FlagOffVariantChanged
  | FlagRolloutChanged
  | FlagTargetsChanged
  | FlagTargetsAdded
  | FlagTargetsRemoved
  | FlagRulesChanged
  | FlagPrerequisitesChanged
  | FlagPromoted
  | FlagImported
  | FlagArchived
  | FlagUnarchived
  | FlagDeleted
  | FlagRestored
  | FlagReverted;
