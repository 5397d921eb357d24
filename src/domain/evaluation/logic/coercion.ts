import { fail } from './term.js';

/** The number that a value is taken for: null is 0, true 1, text what it reads. @throws LogicFailure when it is none */
export const numberFrom = (value: unknown): number => {
  if (typeof value === 'number') return value;
  if (typeof value === 'object' && value !== null) return fail();
  return required(Number(value ?? null));
};

/** @throws LogicFailure for NaN */
export const required = (value: number): number => (Number.isNaN(value) ? fail() : value);

/** The text that a value reads as: true is `true`, ["a"] is `a`. */
export const textFrom = (value: unknown): string => String(value);
