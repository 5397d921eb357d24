import { type AttributeClause, type Operator, type RegexCompiler } from '../../targeting/clause.js';
import { anyTruth, FALSE, TRUE, truthOf, UNKNOWN } from '../truth.js';
import { spend } from '../work.js';
import * as quantity from './quantity.js';
import { inCidr } from './quantity.js';
import * as semver from './semver.js';
import * as text from './text.js';
import { foldCase, isIn } from './text.js';
import { anyElement, type TestFactory, type ValueTest } from './value-test.js';

/** No element is one of the values: of a list, what `in` negated says; unknown of all else. */
const noneOf: TestFactory = (values, options) => {
  const test = isIn(values, options);
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    spend(value.length);
    const any = anyTruth(value, test);
    return any === UNKNOWN ? UNKNOWN : truthOf(any === FALSE);
  };
};

const folded = (value: unknown): unknown => (typeof value === 'string' ? foldCase(value) : value);

/**
 * Every value is an element of the list. Where one is not, it is unknown when an element has a type that none of the
 * values has.
 */
const allOf: TestFactory = (values, options) => {
  const test = isIn(values, options);
  const wanted: readonly unknown[] = options.ignoreCase ? values.map(folded) : values;
  const has = (elements: readonly unknown[], value: unknown): boolean =>
    options.ignoreCase
      ? elements.some((element) => folded(element) === value)
      : elements.includes(value);
  return (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    // Searching is quick: eight elements a step.
    spend(value.length + ((value.length * wanted.length) >> (options.ignoreCase ? 0 : 3)));
    if (wanted.every((one) => has(value, one))) return TRUE;
    return value.some((element) => test(element) === UNKNOWN) ? UNKNOWN : FALSE;
  };
};

const isPresent = (value: unknown): boolean => value !== undefined && value !== null;

const present: ValueTest = (value) => truthOf(isPresent(value));
const absent: ValueTest = (value) => truthOf(!isPresent(value));

/** Never unknown. */
const exists: TestFactory = () => present;
const notExists: TestFactory = () => absent;

const FACTORIES: Readonly<Record<Operator, TestFactory>> = {
  in: isIn,
  contains: text.contains,
  startsWith: text.startsWith,
  endsWith: text.endsWith,
  matches: text.matches,
  numberEquals: quantity.numberEquals,
  lessThan: quantity.lessThan,
  lessThanOrEqual: quantity.lessThanOrEqual,
  greaterThan: quantity.greaterThan,
  greaterThanOrEqual: quantity.greaterThanOrEqual,
  before: quantity.before,
  beforeOrAt: quantity.beforeOrAt,
  after: quantity.after,
  afterOrAt: quantity.afterOrAt,
  semverEquals: semver.semverEquals,
  semverLessThan: semver.semverLessThan,
  semverLessThanOrEqual: semver.semverLessThanOrEqual,
  semverGreaterThan: semver.semverGreaterThan,
  semverGreaterThanOrEqual: semver.semverGreaterThanOrEqual,
  semverTilde: semver.semverTilde,
  semverCaret: semver.semverCaret,
  inCidr: inCidr,
  allOf,
  noneOf,
  sizeEquals: quantity.sizeEquals,
  sizeLessThan: quantity.sizeLessThan,
  sizeGreaterThan: quantity.sizeGreaterThan,
  exists,
  notExists,
};

/** These ask about a list itself, or whether there is anything: the others about each of its elements. */
const OF_WHOLE: ReadonlySet<Operator> = new Set([
  'allOf',
  'noneOf',
  'sizeEquals',
  'sizeLessThan',
  'sizeGreaterThan',
  'exists',
  'notExists',
]);

/**
 * What a clause asks of its attribute's value, before it is negated: `ofObject` of lists and all else that has the type
 * object, `ofScalar` of the rest.
 */
export const valueTests = (
  { operator, values, ignoreCase }: AttributeClause,
  compileRegex: RegexCompiler,
): Readonly<{ ofScalar: ValueTest; ofObject: ValueTest }> => {
  const test = FACTORIES[operator](values, { ignoreCase: ignoreCase === true, compileRegex });
  return { ofScalar: test, ofObject: OF_WHOLE.has(operator) ? test : anyElement(test) };
};
