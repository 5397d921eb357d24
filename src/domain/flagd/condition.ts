import { DomainError } from '../decider.js';
import { type Json } from '../json.js';
import {
  type AnyOfClause,
  type AttributeClause,
  type Clause,
  type SimpleClause,
} from '../targeting/clause.js';
import { requireValidClauses } from '../targeting/valid-clauses.js';
import { isArray, operationOf } from './place.js';
import { type Question, questionOf } from './question.js';

/** Alternatives of clauses that must all be true: `[[]]` is always true, `[]` never. */
type Condition = readonly (readonly Clause[])[];

/** Keys of the segments that stand for shared conditions, by the object that is put in for such a condition. */
export type SegmentKeys = ReadonlyMap<Json, string>;

export const NO_SEGMENTS: SegmentKeys = new Map();

/** What a condition may grow to by taking alternatives apart. */
const MAX_ALTERNATIVES = 20;

const absent = (attribute: string): AttributeClause => ({
  attribute,
  operator: 'notExists',
  values: [],
});

const negation = ({ negate, ...clause }: AttributeClause): AttributeClause =>
  negate === true ? clause : { ...clause, negate: true };

/** True for whom flagd's answer is the wanted one: of an absent attribute a clause itself knows nothing. */
const asCondition = ({ clauses, whenAbsent }: Question, wanted: boolean): Condition => {
  const [first] = clauses;
  if (first === undefined) return [];
  const asked = wanted ? clauses : clauses.map(negation);
  const isAlternative = !wanted && asked.length > 1;
  if (whenAbsent !== wanted && !isAlternative) return [asked];
  const anyOf: readonly SimpleClause[] =
    whenAbsent === wanted ? [...asked, absent(first.attribute)] : asked;
  return [[{ anyOf }]];
};

const isOne = (clauses: readonly Clause[]): boolean => clauses.length === 1;

const flattened = (clause: Clause | undefined): readonly SimpleClause[] => {
  if (clause === undefined) return [];
  return 'anyOf' in clause ? clause.anyOf : [clause];
};

/** One group where every alternative is a single clause. */
const anyOf = (conditions: readonly Condition[]): Condition => {
  const alternatives = conditions.flat();
  const isGroup = alternatives.length > 1 && alternatives.every(isOne);
  const group: AnyOfClause = { anyOf: alternatives.flatMap(([clause]) => flattened(clause)) };
  return isGroup ? [[group]] : alternatives;
};

const allOf = (conditions: readonly Condition[]): Condition =>
  conditions.reduce<Condition>(
    (before, condition) =>
      before.flatMap((clauses) => condition.map((more) => [...clauses, ...more])),
    [[]],
  );

/** What is asked of a condition: whether it is truthy, or falsy. */
type Wish = Readonly<{ wanted: boolean; segments: SegmentKeys }>;

const combined = (
  parts: readonly Json[],
  { wanted, segments }: Wish,
  combine: (conditions: readonly Condition[]) => Condition,
): Condition | undefined => {
  const conditions = parts.map((part) => conditionOf(part, segments, wanted));
  const known = conditions.filter((condition) => condition !== undefined);
  if (known.length < parts.length || parts.length === 0) return undefined;
  const condition = combine(known);
  return condition.length > MAX_ALTERNATIVES ? undefined : condition;
};

/** `a < x < b` is two questions. */
const between = (operator: string, list: readonly Json[]): readonly Json[] =>
  list.slice(1).map((right, index) => ({ [operator]: [list[index] ?? null, right] }));

type ToCondition = (list: readonly Json[], wish: Wish) => Condition | undefined;

const asked =
  (name: string, isPositive = true): ToCondition =>
  (list, { wanted }) => {
    const question = questionOf(name, list);
    return question === undefined ? undefined : asCondition(question, wanted === isPositive);
  };

const ordered =
  (name: string): ToCondition =>
  (list, wish) =>
    list.length === 3
      ? combined(between(name, list), wish, wish.wanted ? allOf : anyOf)
      : asked(name)(list, wish);

const MAPS: ReadonlyMap<string, ToCondition> = new Map<string, ToCondition>([
  ['and', (list, wish) => combined(list, wish, wish.wanted ? allOf : anyOf)],
  ['or', (list, wish) => combined(list, wish, wish.wanted ? anyOf : allOf)],
  ['!', ([part = null], { wanted, segments }) => conditionOf(part, segments, !wanted)],
  ['!!', ([part = null], { wanted, segments }) => conditionOf(part, segments, wanted)],
  ['!=', asked('==', false)],
  ['!==', asked('===', false)],
  ['<', ordered('<')],
  ['<=', ordered('<=')],
  ...['==', '===', '>', '>=', 'in', 'starts_with', 'ends_with', 'sem_ver'].map(
    (name): [string, ToCondition] => [name, asked(name)],
  ),
]);

const member = (key: string, wanted: boolean): Condition => [
  [wanted ? { segments: [key] } : { segments: [key], negate: true }],
];

/**
 * Clauses that are true for exactly those for whom a JSONLogic expression is truthy (or falsy, when that is wanted), as
 * far as attributes are absent or of the type that the expression compares with. Undefined when there are none.
 * Membership of a segment is never unknown: who is not in it is out of it, as who does not meet a condition of flagd's.
 */
export const conditionOf = (
  expression: Json,
  segments: SegmentKeys,
  wanted = true,
): Condition | undefined => {
  if (typeof expression === 'boolean') return expression === wanted ? [[]] : [];
  const segment = segments.get(expression);
  if (segment !== undefined) return member(segment, wanted);
  const found = operationOf(expression);
  if (found === undefined) return undefined;
  const list = isArray(found.argument) ? found.argument : [found.argument];
  return MAPS.get(found.name)?.(list, { wanted, segments });
};

/** Whether one rule may hold them: how many clauses, how many values, how long they are. An empty list is valid. */
export const areWithinLimits = (clauses: readonly Clause[]): boolean => {
  try {
    // No clause that an import makes has a regular expression.
    requireValidClauses(clauses, '', { compileRegex: () => ({ size: 1, test: () => false }) });
    return true;
  } catch (error) {
    if (error instanceof DomainError) return false;
    throw error;
  }
};
