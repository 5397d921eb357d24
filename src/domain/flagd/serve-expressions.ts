import { type RuleServe, type Split } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { variable } from './attribute.js';
import { all, any, isNumber, isPresent, isText } from './expressions.js';

/** What is served, and whether there is something to serve: else the next rule is tried. */
export type Served = Readonly<{ result: Json; isPossible: Json }>;

/** A non-empty text or an integer. */
const isUnit = (bucketBy: string): Json => {
  const value = variable(bucketBy);
  if (bucketBy === 'targetingKey') return { '!!': [value] };
  return any([
    all([isText(value), { '!==': [value, ''] }]),
    all([isNumber(value), { '===': [{ '%': [value, 1] }, 0] }]),
  ]);
};

const splitServed = ({ weights, bucketBy, salt }: Split, flagSalt: string): Served => ({
  result: {
    fractional: [
      { cat: [salt ?? flagSalt, variable(bucketBy)] },
      ...weights.map(({ variant, weight }): Json => [variant, weight]),
    ],
  },
  isPossible: isUnit(bucketBy),
});

/** @throws Inexpressible */
export const servedBy = (serve: RuleServe, flagSalt: string): Served => {
  if ('logic' in serve) return { result: serve.logic, isPossible: isPresent(serve.logic) };
  if ('split' in serve) return splitServed(serve.split, flagSalt);
  return { result: serve.variant, isPossible: true };
};
