import { DomainError } from '../decider.js';
import { requireValidLogic } from '../evaluation/logic/compile.js';
import { type Json } from '../json.js';
import { type SegmentRule } from '../segment.js';
import { KEY_PATTERN } from '../streams.js';
import { usedSegments } from '../targeting/clause.js';
import { areWithinLimits, conditionOf, type SegmentKeys } from './condition.js';
import { type Evaluators } from './evaluators.js';
import { type FlagdFile, parseFlagd } from './parse.js';
import { isObject } from './place.js';

const MAX_LENGTH = 100;

const isKey = new RegExp(KEY_PATTERN);

/** The name with what a key cannot have as dashes. */
const madeKey = (name: string): string => {
  const dashed = name.slice(0, MAX_LENGTH).replace(/[^A-Za-z0-9._-]+/g, '-');
  return dashed.replace(/^[._-]+/, '').replace(/[._-]+$/, '') || 'evaluator';
};

const numbered = (key: string, taken: ReadonlySet<string>): string => {
  for (let nth = 2, one = key; ; nth += 1) {
    if (!taken.has(one)) return one;
    const end = `-${nth}`;
    one = key.slice(0, MAX_LENGTH - end.length) + end;
  }
};

/** A segment's key for every name, each another one. A name that can be a key is that key. */
export const segmentKeys = (names: readonly string[]): ReadonlyMap<string, string> => {
  const taken = new Set(names.filter((name) => isKey.test(name)));
  const keys = new Map<string, string>();
  for (const name of names) {
    const key = isKey.test(name) ? name : numbered(madeKey(name), taken);
    taken.add(key);
    keys.set(name, key);
  }
  return keys;
};

/** A shared condition that can be a segment. `expression` is the object that is put in for it. */
export type SharedCondition = Readonly<{
  evaluator: string;
  key: string;
  expression: Json;
  rules: readonly SegmentRule[];
}>;

/** A condition as rules of a segment, with clauses on these segments in it; undefined when there are none. */
export const segmentRulesOf = (
  expression: Json,
  segments: SegmentKeys,
): readonly SegmentRule[] | undefined => {
  const alternatives = conditionOf(expression, segments) ?? [];
  const isPossible =
    alternatives.length > 0 &&
    alternatives.every((clauses) => clauses.length > 0 && areWithinLimits(clauses));
  // The same file gives the same ids, so that importing it twice changes nothing.
  const toRule = (clauses: SegmentRule['clauses'], index: number): SegmentRule => ({
    id: `flagd-${index + 1}`,
    description: '',
    clauses,
  });
  return isPossible ? alternatives.map(toRule) : undefined;
};

const isValidLogic = (expression: Json): boolean => {
  try {
    requireValidLogic(expression, '', '');
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
};

/** More of a file are put in where they are referred to. */
const MAX_SEGMENTS = 500;

/** Each after those that it refers to. One that only names another is that other one. */
const possibleSegments = ({ conditions }: Evaluators): readonly SharedCondition[] => {
  const found: SharedCondition[] = [];
  const segments = new Map<Json, string>();
  for (const [evaluator, key] of segmentKeys([...conditions.keys()].slice(0, MAX_SEGMENTS))) {
    const expression = conditions.get(evaluator);
    if (!isObject(expression) || segments.has(expression) || !isValidLogic(expression)) continue;
    const rules = segmentRulesOf(expression, segments);
    if (rules === undefined) continue;
    found.push({ evaluator, key, expression, rules });
    segments.set(expression, key);
  }
  return found;
};

type WithClauses = Readonly<{ rules: readonly Pick<SegmentRule, 'clauses'>[] }>;

const segmentsIn = ({ rules }: WithClauses): readonly string[] =>
  rules.flatMap(({ clauses }) => usedSegments(clauses));

/** The shared conditions of a file that rules ask as they are, each after those that it refers to itself. */
export const neededSegments = (file: FlagdFile): readonly SharedCondition[] => {
  const possible = possibleSegments(file.evaluators);
  if (possible.length === 0) return [];
  const keys = new Map(possible.map(({ expression, key }) => [expression, key]));
  const flags = parseFlagd(file, 'rules', keys);
  const needed = new Set(
    flags.flatMap((flag) => ('definition' in flag ? segmentsIn(flag.definition) : [])),
  );
  for (const condition of possible.toReversed())
    if (needed.has(condition.key)) for (const key of segmentsIn(condition)) needed.add(key);
  return possible.filter(({ key }) => needed.has(key));
};
