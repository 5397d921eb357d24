import { type Json } from '../../../domain/json.js';
import {
  type AnyOfClause,
  type AttributeClause,
  type Clause,
  type SimpleClause,
} from '../../../domain/targeting/clause.js';
import { isArray, operationOf } from '../place.js';
import { type Question, questionOf } from './question.js';

/** Alternatives of clauses that must all be true: `[[]]` is always true, `[]` never. */
export type Condition = readonly (readonly Clause[])[];

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

const combined = (
  parts: readonly Json[],
  wanted: boolean,
  combine: (conditions: readonly Condition[]) => Condition,
): Condition | undefined => {
  const conditions = parts.map((part) => conditionOf(part, wanted));
  const known = conditions.filter((condition) => condition !== undefined);
  if (known.length < parts.length || parts.length === 0) return undefined;
  const condition = combine(known);
  return condition.length > MAX_ALTERNATIVES ? undefined : condition;
};

/** `a < x < b` is two questions. */
const between = (operator: string, list: readonly Json[]): readonly Json[] =>
  list.slice(1).map((right, index) => ({ [operator]: [list[index] ?? null, right] }));

type Map = (list: readonly Json[], wanted: boolean) => Condition | undefined;

const asked =
  (name: string, isPositive = true): Map =>
  (list, wanted) => {
    const question = questionOf(name, list);
    return question === undefined ? undefined : asCondition(question, wanted === isPositive);
  };

const ordered =
  (name: string): Map =>
  (list, wanted) =>
    list.length === 3
      ? combined(between(name, list), wanted, wanted ? allOf : anyOf)
      : asked(name)(list, wanted);

const MAPS: ReadonlyMap<string, Map> = new Map<string, Map>([
  ['and', (list, wanted) => combined(list, wanted, wanted ? allOf : anyOf)],
  ['or', (list, wanted) => combined(list, wanted, wanted ? anyOf : allOf)],
  ['!', ([part = null], wanted) => conditionOf(part, !wanted)],
  ['!!', ([part = null], wanted) => conditionOf(part, wanted)],
  ['!=', asked('==', false)],
  ['!==', asked('===', false)],
  ['<', ordered('<')],
  ['<=', ordered('<=')],
  ...['==', '===', '>', '>=', 'in', 'starts_with', 'ends_with', 'sem_ver'].map(
    (name): [string, Map] => [name, asked(name)],
  ),
]);

/**
 * Clauses that are true for exactly those for whom a JSONLogic expression is truthy (or falsy, when that is wanted), as
 * far as attributes are absent or of the type that the expression compares with. Undefined when there are none.
 */
export const conditionOf = (expression: Json, wanted = true): Condition | undefined => {
  if (typeof expression === 'boolean') return expression === wanted ? [[]] : [];
  const found = operationOf(expression);
  if (found === undefined) return undefined;
  const list = isArray(found.argument) ? found.argument : [found.argument];
  return MAPS.get(found.name)?.(list, wanted);
};
