import { type Serve, type Split, wholeVariant } from '../flag/configuration.js';
import { type Json } from '../json.js';
import { variable } from './attribute.js';
import { all, any, isNumber, isText } from './expressions.js';

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

/** A salt makes a text of whatever is joined to it, so one variant with the whole weight needs no guard. */
const splitServed = (split: Split, flagSalt: string): Served => ({
  result: {
    fractional: [
      { cat: [split.salt ?? flagSalt, variable(split.bucketBy)] },
      ...split.weights.map(({ variant, weight }): Json => [variant, weight]),
    ],
  },
  isPossible: wholeVariant(split) === undefined ? isUnit(split.bucketBy) : true,
});

/** @throws Inexpressible */
export const servedBy = (serve: Serve, flagSalt: string): Served =>
  'split' in serve
    ? splitServed(serve.split, flagSalt)
    : { result: serve.variant, isPossible: true };
