import { type Context } from '../../src/domain/evaluation/context.js';
import { type Ruleset, type SegmentDefinition } from '../../src/domain/evaluation/ruleset.js';
import { type Rule, type Serve } from '../../src/domain/flag/configuration.js';
import {
  type AttributeClause,
  type Clause,
  type ClauseValue,
  type SegmentClause,
} from '../../src/domain/targeting/clause.js';

// The rules of docs/targeting.md a second time, as slowly and plainly as can be, to compare the engine with: undefined
// is unknown, lookups are linear, text is compared with what the platform has.

type Truth = boolean | undefined;
export type World = Readonly<{
  rulesets: readonly Ruleset[];
  segments: readonly SegmentDefinition[];
}>;
export type Served = Readonly<{ variant: string | undefined; reason: string; ruleId?: string }>;

const or = (truths: readonly Truth[]): Truth =>
  truths.includes(true) ? true : truths.includes(undefined) ? undefined : false;

const attribute = (path: string, { targetingKey, attributes, nowMs }: Context): unknown => {
  if (path === 'targetingKey') return targetingKey;
  if (path === '$now') return nowMs;
  return path
    .split('.')
    .reduce<unknown>(
      (value, name) =>
        typeof value === 'object' && value !== null && !Array.isArray(value)
          ? new Map(Object.entries(value)).get(name)
          : undefined,
      attributes,
    );
};

const numeric = (value: unknown): number | undefined => {
  try {
    const number: unknown = typeof value === 'string' ? JSON.parse(value) : value;
    return typeof number === 'number' && String(value).trim() === String(value)
      ? number
      : undefined;
  } catch {
    return undefined;
  }
};

const version = (value: unknown): string | undefined => {
  if (typeof value !== 'string' || !/^\d{1,3}(\.\d{1,3}){0,2}$/.test(value)) return undefined;
  const padded = [...value.split('.'), '0', '0'].slice(0, 3);
  return padded.map((part) => part.padStart(3, '0')).join('.');
};

type Comparable = number | string;
const ordered = (
  value: unknown,
  values: readonly ClauseValue[],
  read: (value: unknown) => Comparable | undefined,
  holds: (left: Comparable, right: Comparable) => boolean,
): Truth => {
  const left = read(value);
  if (left === undefined) return undefined;
  return values.some((one) => holds(left, read(one) ?? NaN));
};

const text = (value: unknown, holds: (text: string) => boolean): Truth =>
  typeof value === 'string' ? holds(value) : undefined;

const isIn = (value: unknown, values: readonly ClauseValue[]): Truth => {
  if (!values.some((one) => typeof one === typeof value)) return undefined;
  return values.some((one) => Object.is(one, value));
};

const one = ({ operator, values }: AttributeClause, value: unknown): Truth => {
  const anyOf = (holds: (wanted: string) => boolean) => values.map(String).some(holds);
  switch (operator) {
    case 'in':
      return isIn(value, values);
    case 'contains':
      return text(value, (given) => anyOf((wanted) => given.split(wanted).length > 1));
    case 'startsWith':
      return text(value, (given) => anyOf((wanted) => given.slice(0, wanted.length) === wanted));
    case 'matches':
      return text(value, (given) => anyOf((wanted) => new RegExp(wanted).test(given)));
    case 'numberEquals':
      return ordered(value, values, numeric, (left, right) => left === right);
    case 'lessThan':
      return ordered(value, values, numeric, (left, right) => left < right);
    case 'semverGreaterThanOrEqual':
      return ordered(value, values, version, (left, right) => left >= right);
    default:
      throw new Error(`The reference does not know ${operator}.`);
  }
};

const list = ({ operator, values }: AttributeClause, elements: readonly unknown[]): Truth => {
  const found = elements.map((element) => isIn(element, values));
  const isUnknown = found.includes(undefined);
  switch (operator) {
    case 'allOf':
      if (values.every((wanted) => elements.some((element) => element === wanted))) return true;
      return isUnknown ? undefined : false;
    case 'noneOf':
      if (found.includes(true)) return false;
      return isUnknown ? undefined : true;
    default:
      return values.some((wanted) => elements.length === wanted);
  }
};

const LISTS: readonly string[] = ['allOf', 'noneOf', 'sizeEquals'];

const asked = (clause: AttributeClause, value: unknown): Truth => {
  if (clause.operator === 'exists') return value !== undefined && value !== null;
  if (clause.operator === 'notExists') return value === undefined || value === null;
  if (LISTS.includes(clause.operator))
    return Array.isArray(value) ? list(clause, value) : undefined;
  if (Array.isArray(value)) return or(value.map((element) => one(clause, element)));
  return one(clause, value);
};

const member = (key: string, context: Context, world: World): Truth => {
  const segment = world.segments.find((candidate) => candidate.key === key);
  if (segment === undefined) return undefined;
  if (segment.excluded.some((excluded) => excluded === context.targetingKey)) return false;
  if (segment.included.some((included) => included === context.targetingKey)) return true;
  return segment.rules.some(({ clauses }) => clauses.every((each) => truth(each, context, world)));
};

const simple = (clause: AttributeClause | SegmentClause, context: Context, world: World): Truth => {
  const plain =
    'segments' in clause
      ? or(clause.segments.map((key) => member(key, context, world)))
      : asked(clause, attribute(clause.attribute, context));
  return plain === undefined || clause.negate === undefined ? plain : !plain;
};

export const truth = (clause: Clause, context: Context, world: World): Truth =>
  'anyOf' in clause
    ? or(clause.anyOf.map((each) => simple(each, context, world)))
    : simple(clause, context, world);

const served = (serve: Serve | Rule['serve']): string | undefined =>
  'variant' in serve ? (serve.variant ?? undefined) : undefined;

const arePrerequisitesMet = (flag: Ruleset, context: Context, world: World): boolean =>
  (flag.configuration.prerequisites ?? []).every((wanted) =>
    wanted.variants.some((name) => name === reference(wanted.flagKey, context, world).variant),
  );

const isStatic = ({ configuration }: Ruleset): boolean => {
  const { prerequisites = [], targets, rules = [] } = configuration;
  const isTargeted = targets.some(({ keys }) => keys.length > 0);
  return prerequisites.length === 0 && !isTargeted && rules.length === 0;
};

const live = (flag: Ruleset, context: Context, world: World): Served => {
  const { targets, rules = [], fallthrough } = flag.configuration;
  const target = targets.find(({ keys }) => keys.some((key) => key === context.targetingKey));
  if (target !== undefined) return { variant: target.variant, reason: 'TARGETING_MATCH' };
  const rule = rules.find(({ clauses }) => clauses.every((each) => truth(each, context, world)));
  if (rule !== undefined)
    return { variant: served(rule.serve), reason: 'TARGETING_MATCH', ruleId: rule.id };
  const variant = served(fallthrough);
  const isPlain = isStatic(flag) && variant !== undefined;
  return { variant, reason: isPlain ? 'STATIC' : 'DEFAULT' };
};

/** Of flags whose rules and fallthrough serve variants: splits and expressions have tests of their own. */
export const reference = (flagKey: string, context: Context, world: World): Served => {
  const flag = world.rulesets.find(({ key }) => key === flagKey);
  if (flag === undefined) return { variant: undefined, reason: 'FLAG_NOT_FOUND' };
  const off = flag.configuration.offVariant ?? undefined;
  if (!flag.configuration.enabled) return { variant: off, reason: 'DISABLED' };
  if (!arePrerequisitesMet(flag, context, world))
    return { variant: off, reason: 'PREREQUISITE_FAILED' };
  return live(flag, context, world);
};
