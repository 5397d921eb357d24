import { type Rule, type RuleServe, type Serve, type Target } from '../flag/configuration.js';
import { type WrittenFlag } from './export.js';
import { type Json } from '../json.js';
import { type Clause } from '../targeting/clause.js';
import { type SegmentKeys } from './condition.js';

/** The flag or segment whose targeting it is. */
export type About = Readonly<{
  flagKey: string;
  variants: readonly string[];
  defaultVariant: string | null;
  /** Segments of the project, for conditions that flags share. */
  segments: SegmentKeys;
  /** The flag that is here, whose parts are known again. */
  here?: WrittenFlag | undefined;
}>;

export type Targeting = Readonly<{
  /** Absent where the file names nobody. */
  targets?: readonly Target[];
  rules: readonly Rule[];
  fallthrough: Serve;
}>;

export type Draft = Readonly<{
  clauses: readonly Clause[];
  serve: RuleServe;
  /** The rule that is here already. */
  rule?: Rule;
}>;

/** What is tried in order, and what everyone else gets. */
export type Outcome = Readonly<{ drafts: readonly Draft[]; rest: Serve }>;

/** One condition of an `if`, and its result. */
export type Branch = Readonly<{ condition: Json; result: Json }>;
