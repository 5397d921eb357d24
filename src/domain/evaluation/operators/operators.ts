import { type AttributeClause, type Operator } from '../../targeting/clause.js';
import { type RegexCompiler } from '../../targeting/regex-compiler.js';
import { inCidr } from './address.js';
import { isIn } from './equality.js';
import { allOf, exists, noneOf, notExists } from './lists.js';
import * as quantity from './quantity.js';
import * as semver from './semver.js';
import * as text from './text.js';
import { anyElement, type TestFactory, type ValueTest } from './value-test.js';

const each =
  (factory: TestFactory): TestFactory =>
  (values, options) =>
    anyElement(factory(values, options));

const FACTORIES: Readonly<Record<Operator, TestFactory>> = {
  in: each(isIn),
  contains: each(text.contains),
  startsWith: each(text.startsWith),
  endsWith: each(text.endsWith),
  matches: each(text.matches),
  numberEquals: each(quantity.numberEquals),
  lessThan: each(quantity.lessThan),
  lessThanOrEqual: each(quantity.lessThanOrEqual),
  greaterThan: each(quantity.greaterThan),
  greaterThanOrEqual: each(quantity.greaterThanOrEqual),
  before: each(quantity.before),
  beforeOrAt: each(quantity.beforeOrAt),
  after: each(quantity.after),
  afterOrAt: each(quantity.afterOrAt),
  semverEquals: each(semver.semverEquals),
  semverLessThan: each(semver.semverLessThan),
  semverLessThanOrEqual: each(semver.semverLessThanOrEqual),
  semverGreaterThan: each(semver.semverGreaterThan),
  semverGreaterThanOrEqual: each(semver.semverGreaterThanOrEqual),
  semverTilde: each(semver.semverTilde),
  semverCaret: each(semver.semverCaret),
  inCidr: each(inCidr),
  allOf,
  noneOf,
  sizeEquals: quantity.sizeEquals,
  sizeLessThan: quantity.sizeLessThan,
  sizeGreaterThan: quantity.sizeGreaterThan,
  exists,
  notExists,
};

/** What a clause asks of its attribute's value, before it is negated. */
export const valueTest = (
  { operator, values, ignoreCase }: AttributeClause,
  compileRegex: RegexCompiler,
): ValueTest => FACTORIES[operator](values, { ignoreCase: ignoreCase === true, compileRegex });
