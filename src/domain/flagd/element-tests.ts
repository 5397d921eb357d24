import { type Json } from '../json.js';
import { type AttributeClause, type ClauseValue, type Operator } from '../targeting/clause.js';
import { all, any, isNumber, isText, not } from './expressions.js';

/** What a clause says of one value: two expressions, of which neither is true when it is unknown. */
export type Test = Readonly<{ isTrue: Json; isFalse: Json }>;

export type ElementTest = (value: Json, clause: AttributeClause) => Test;

const isBoolean = (value: Json): Json => any([{ '===': [value, true] }, { '===': [value, false] }]);

const IS_OF_TYPE: readonly (readonly [string, (value: Json) => Json])[] = [
  ['string', isText],
  ['number', isNumber],
  ['boolean', isBoolean],
];

const isOneOf = (value: Json, values: readonly ClauseValue[]): Json => {
  const texts = values.filter((one) => typeof one === 'string');
  const others = values.filter((one) => typeof one !== 'string');
  return any([
    ...(texts.length === 0 ? [] : [{ in: [value, texts] }]),
    ...others.map((one): Json => ({ '===': [value, one] })),
  ]);
};

/** Texts among texts, but not the number 1 among the texts: `in` of a list is typed, unlike `==`. */
const isIn: ElementTest = (value, { values }) => {
  const isAny = isOneOf(value, values);
  const types = IS_OF_TYPE.filter(([type]) => values.some((one) => typeof one === type));
  const isComparable = any(types.map(([, isOfType]) => isOfType(value)));
  return { isTrue: isAny, isFalse: all([isComparable, not(isAny)]) };
};

const guarded =
  (guard: (value: Json) => Json, ask: (value: Json, wanted: ClauseValue) => Json): ElementTest =>
  (value, { values }) => {
    const isAny = any(values.map((wanted) => ask(value, wanted)));
    return { isTrue: all([guard(value), isAny]), isFalse: all([guard(value), not(isAny)]) };
  };

const onText = (ask: (value: Json, wanted: string) => Json): ElementTest =>
  guarded(isText, (value, wanted) => ask(value, String(wanted)));

const onNumber = (operator: string): ElementTest =>
  guarded(isNumber, (value, wanted) => ({ [operator]: [value, Number(wanted)] }));

/** For a single value and each element of a list alike. */
export const ELEMENT_TESTS: ReadonlyMap<Operator, ElementTest> = new Map<Operator, ElementTest>([
  ['in', isIn],
  ['contains', onText((value, wanted) => ({ in: [wanted, value] }))],
  [
    'startsWith',
    onText((value, wanted) => ({ '===': [{ substr: [value, 0, wanted.length] }, wanted] })),
  ],
  [
    'endsWith',
    onText((value, wanted) => ({ '===': [{ substr: [value, -wanted.length] }, wanted] })),
  ],
  ['numberEquals', onNumber('==')],
  ['lessThan', onNumber('<')],
  ['lessThanOrEqual', onNumber('<=')],
  ['greaterThan', onNumber('>')],
  ['greaterThanOrEqual', onNumber('>=')],
]);
