import { type ClauseValue, type RegexCompiler } from '../../targeting/clause.js';
import { anyTruth, type Truth, UNKNOWN } from '../truth.js';
import { spend, spendOnText } from '../work.js';

/** What an operator says of an attribute's value, undefined when it is missing. Never throws. */
export type ValueTest = (value: unknown) => Truth;

/** An operator with its values known, which are made ready for comparing once. */
export type TestFactory = (
  values: readonly ClauseValue[],
  options: Readonly<{ ignoreCase: boolean; compileRegex: RegexCompiler }>,
) => ValueTest;

/** For values that the operator cannot read: they were checked when commanded, so this is never seen. */
export const alwaysUnknown: ValueTest = () => UNKNOWN;

/** A list as attribute stands for any of its elements; null and other objects cannot be compared. */
export const anyElement =
  (test: ValueTest): ValueTest =>
  (value) => {
    if (!Array.isArray(value)) return UNKNOWN;
    spend(value.length);
    return anyTruth(value, (element) => {
      if (typeof element === 'string') spendOnText(element.length);
      return test(element);
    });
  };
