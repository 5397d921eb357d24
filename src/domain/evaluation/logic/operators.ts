import * as arithmetic from './arithmetic.js';
import * as branching from './branching.js';
import * as comparison from './comparison.js';
import { fractional } from './fractional.js';
import * as lists from './lists.js';
import { type Operator } from './term.js';
import * as text from './text.js';
import * as variables from './variables.js';
import { semVer } from './version.js';

/** Everything that flagd's schema (flagd.dev/schema/v0/targeting.json) allows in an expression. */
export const OPERATORS: ReadonlyMap<string, Operator> = new Map(
  Object.entries({
    if: branching.choose,
    '?:': branching.choose,
    and: branching.and,
    or: branching.or,
    '!': branching.not,
    '!!': branching.toBoolean,
    '==': comparison.equal,
    '===': comparison.identical,
    '!=': comparison.unequal,
    '!==': comparison.different,
    '<': comparison.less,
    '<=': comparison.lessOrEqual,
    '>': comparison.greater,
    '>=': comparison.greaterOrEqual,
    '+': arithmetic.add,
    '-': arithmetic.subtract,
    '*': arithmetic.multiply,
    '/': arithmetic.divide,
    '%': arithmetic.modulo,
    max: arithmetic.maximum,
    min: arithmetic.minimum,
    cat: text.concatenate,
    substr: text.substring,
    in: text.isIn,
    starts_with: text.startsWith,
    ends_with: text.endsWith,
    var: variables.variable,
    missing: variables.missing,
    missing_some: variables.missingSome,
    map: lists.map,
    filter: lists.filter,
    all: lists.all,
    some: lists.some,
    none: lists.none,
    reduce: lists.reduce,
    merge: lists.merge,
    sem_ver: semVer,
    fractional,
  }),
);
