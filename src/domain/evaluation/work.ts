// Evaluations wait for nothing, so that never two are under way: what is counted here is of the one that is.

/** Most steps of evaluating one flag, with all that it refers to. A step takes 25 ns or less, one of a regular expression up to 100. */
export const FLAG_STEPS = 100_000;

/** Most steps of evaluating all flags of an environment at once. */
export const REQUEST_STEPS = 1_000_000;

class TooCostly extends Error {
  override readonly name = 'TooCostly';
}

// One for the process: making a stack trace would cost more than the evaluation.
const tooCostly = new TooCostly('This takes more steps than an evaluation may.');

/** What the request may still take, and what must be left of it when the flag under way is done. */
let left = REQUEST_STEPS;
let rest = 0;
let request = 0;

/** What was found out once in an evaluation, and need not be again. */
export type Memo<T> = { of: number; value: T };

/** A memo that nothing was put into. */
export const emptyMemo = <T>(value: T): Memo<T> => ({ of: -1, value });

/** Whether a memo has something of the evaluation under way. */
export const isKnown = ({ of }: Memo<unknown>): boolean => of === request;

export const memorize = <T>(memo: Memo<T>, value: T): T => {
  memo.of = request;
  memo.value = value;
  return value;
};

/** Begins an evaluation of one flag, or of all for one context: memos are of the one before. */
export const beginRequest = (): void => {
  request += 1;
  left = REQUEST_STEPS;
};

/** Begins compiling an expression: working out what does not depend on the context takes at most `FLAG_STEPS`. */
export const beginCompiling = (): void => {
  beginRequest();
  beginFlag();
};

/** @throws TooCostly when that is more than may be spent */
export const spend = (steps: number): void => {
  left -= steps;
  if (left < rest) throw tooCostly;
};

/** Texts up to here cost nothing to look at. Characters. */
const SHORT = 256;

/** Counts the cost of looking at a text of a context. @throws TooCostly */
export const spendOnText = (length: number): void => {
  if (length > SHORT) spend(length >> 4);
};

export const isTooCostly = (error: unknown): boolean => error === tooCostly;

/** Begins the work for one flag. */
export const beginFlag = (most = FLAG_STEPS): void => {
  rest = left > most ? left - most : 0;
};

/** What was begun when it became too costly counts as not found out. @throws any other error */
export const giveUp = (error: unknown): void => {
  if (!isTooCostly(error)) throw error;
  request += 1;
  left = rest;
};
