import { type Split } from '../../flag/configuration.js';
import { type ClauseValue, type Operator } from '../../targeting/clause.js';
import { type Reason } from '../ruleset.js';

export type Outcome = 'true' | 'false' | 'unknown';

/**
 * Why nothing can be said: the attribute is missing, null, of a type that the operator does not compare, or of the type
 * but unreadable (no version, no time, too long …); or that holds for an element of a list.
 */
export type Unknown = 'missing' | 'null' | 'wrong-type' | 'unreadable' | 'element';

export type AttributeExplanation = Readonly<{
  attribute: string;
  operator: Operator;
  values: readonly ClauseValue[];
  negate?: true;
  ignoreCase?: true;
  /** As the caller sent it; absent when it is missing. */
  value?: unknown;
  outcome: Outcome;
  why?: Unknown;
}>;

export type SegmentMembership = Readonly<{
  segment: string;
  /** Absent when the segment is not there. */
  revision?: number;
  outcome: Outcome;
  /** `told`: it is explained further up. */
  because: 'excluded' | 'included' | 'rule' | 'no-rule' | 'not-there' | 'too-deep' | 'told';
  /** Those that were tried. */
  rules?: readonly RuleTrial[];
}>;

export type SegmentExplanation = Readonly<{
  segments: readonly SegmentMembership[];
  negate?: true;
  outcome: Outcome;
}>;

type GroupExplanation = Readonly<{
  anyOf: readonly (AttributeExplanation | SegmentExplanation)[];
  outcome: Outcome;
}>;

export type ClauseExplanation = AttributeExplanation | SegmentExplanation | GroupExplanation;

/** All clauses of a rule, also those behind one that is false. */
export type RuleTrial = Readonly<{
  ruleId: string;
  description: string;
  outcome: Outcome;
  clauses: readonly ClauseExplanation[];
}>;

export type SplitExplanation = Readonly<{
  algorithm: Split['algorithm'];
  bucketBy: string;
  salt: string;
  weights: Split['weights'];
  total: number;
  /** Absent when the context has none: then the split is skipped. */
  unit?: string;
  /** The hash of salt and unit, as an unsigned 32-bit integer. */
  hash?: number;
  /** 0 to total − 1. */
  bucket?: number;
  variant?: string;
}>;

export type RuleExplanation = RuleTrial &
  Readonly<{
    split?: SplitExplanation;
    /** What its expression chose; null: no variant. Absent when it failed, or was not asked. */
    chose?: string | null;
    /** A rule that matches and has nothing to serve, so that the next is tried. */
    isSkipped?: true;
  }>;

export type PrerequisiteExplanation = Readonly<{
  flagKey: string;
  /** Any of these is wanted. */
  variants: readonly string[];
  /** Absent when the flag is not there, or stands behind too many others. */
  reason?: Reason;
  /** What it serves; null for no variant. */
  served: string | null;
  isMet: boolean;
}>;

type UnknownClause = Readonly<{
  /** Such as `rules[0].clauses[1]`. */
  place: string;
  /** Name of the attribute, or key of the segment. */
  name: string;
  why: Unknown | SegmentMembership['because'];
}>;

/** The way through a flag, up to the step that decided. */
export type Explanation = Readonly<{
  /** `cost`: finding out takes more steps than an evaluation may, which is an error. */
  decidedBy: 'disabled' | 'archived' | 'prerequisites' | 'target' | 'rule' | 'fallthrough' | 'cost';
  /** The instant of the evaluation. Milliseconds since 1970. */
  nowMs: number;
  prerequisites: readonly PrerequisiteExplanation[];
  /** The targeting key, when it decided. */
  target?: string;
  rules: readonly RuleExplanation[];
  /** The fallthrough, when it was reached. */
  split?: SplitExplanation;
  unknowns: readonly UnknownClause[];
}>;

const inSegments = ({ segments }: SegmentExplanation, place: string): readonly UnknownClause[] =>
  segments.flatMap(({ segment, outcome, because, rules = [] }, index) => {
    const here = `${place}.segments[${index}]`;
    return [
      ...(outcome === 'unknown' ? [{ place: here, name: segment, why: because }] : []),
      ...unknownsIn(rules, here),
    ];
  });

const inAttribute = (
  { attribute, why }: AttributeExplanation,
  place: string,
): readonly UnknownClause[] => (why === undefined ? [] : [{ place, name: attribute, why }]);

const inClause = (clause: ClauseExplanation, place: string): readonly UnknownClause[] => {
  if ('attribute' in clause) return inAttribute(clause, place);
  if ('segments' in clause) return inSegments(clause, place);
  return clause.anyOf.flatMap((member, index) => inClause(member, `${place}.anyOf[${index}]`));
};

/** Every clause that is unknown, with its place below `place`. */
export const unknownsIn = (rules: readonly RuleTrial[], place = ''): readonly UnknownClause[] =>
  rules.flatMap(({ clauses }, rule) =>
    clauses.flatMap((clause, index) => {
      const below = `${place === '' ? '' : `${place}.`}rules[${rule}].clauses[${index}]`;
      return inClause(clause, below);
    }),
  );
