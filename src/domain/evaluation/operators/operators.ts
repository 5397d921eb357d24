import { type AttributeClause, type Operator } from '../../targeting/clause.js';
import { type RegexCompiler } from '../../targeting/regex-compiler.js';
import { inCidr } from './address.js';
import { isIn } from './equality.js';
import { allOf, exists, noneOf, notExists } from './lists.js';
import * as quantity from './quantity.js';
import * as semver from './semver.js';
import * as text from './text.js';
import { anyElement, type TestFactory, type ValueTest } from './value-test.js';

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
