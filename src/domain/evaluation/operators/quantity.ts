import { instantOf, numberOf } from '../../targeting/instant.js';
import { addressOf, isWithin, networkOf } from '../../targeting/network.js';
import { FALSE, TRUE, UNKNOWN } from '../truth.js';
import { alwaysUnknown, type TestFactory } from './value-test.js';

/** An address within one of the networks. */
export const inCidr: TestFactory = (values) => {
  const networks = values.map((value) => networkOf(String(value)));
  if (!networks.every((network) => network !== undefined)) return alwaysUnknown;
  return (value) => {
    const address = typeof value === 'string' ? addressOf(value) : undefined;
    if (address === undefined) return UNKNOWN;
    for (const network of networks) if (isWithin(address, network)) return TRUE;
    return FALSE;
  };
};

type Comparison = (left: number, right: number) => boolean;

/** NaN for what is none. */
type ReadQuantity = (value: unknown) => number;

const equal: Comparison = (left, right) => left === right;
const less: Comparison = (left, right) => left < right;
const lessOrEqual: Comparison = (left, right) => left <= right;
const greater: Comparison = (left, right) => left > right;
const greaterOrEqual: Comparison = (left, right) => left >= right;

const comparing =
  (read: ReadQuantity, holds: Comparison): TestFactory =>
  (values) => {
    const wanted = values.map(read);
    if (wanted.some(Number.isNaN)) return alwaysUnknown;
    return (value) => {
      const quantity = read(value);
      if (Number.isNaN(quantity)) return UNKNOWN;
      for (const one of wanted) if (holds(quantity, one)) return TRUE;
      return FALSE;
    };
  };

export const numberEquals = comparing(numberOf, equal);
export const lessThan = comparing(numberOf, less);
export const lessThanOrEqual = comparing(numberOf, lessOrEqual);
export const greaterThan = comparing(numberOf, greater);
export const greaterThanOrEqual = comparing(numberOf, greaterOrEqual);

export const before = comparing(instantOf, less);
export const beforeOrAt = comparing(instantOf, lessOrEqual);
export const after = comparing(instantOf, greater);
export const afterOrAt = comparing(instantOf, greaterOrEqual);

/** Number of elements of a list, whatever they are; undefined for anything else. */
const sizeOf: ReadQuantity = (value) => (Array.isArray(value) ? value.length : NaN);

const comparingSize =
  (holds: Comparison): TestFactory =>
  (values) =>
  (value) => {
    const size = sizeOf(value);
    if (Number.isNaN(size)) return UNKNOWN;
    return values.some((wanted) => holds(size, Number(wanted))) ? TRUE : FALSE;
  };

export const sizeEquals = comparingSize(equal);
export const sizeLessThan = comparingSize(less);
export const sizeGreaterThan = comparingSize(greater);
