import fc, { type Arbitrary } from 'fast-check';
import { type Test } from 'tap';

/** Chosen once; a failure prints it together with the smallest counterexample. */
const SEED = 20_261_121;

type Arbitraries<Values extends unknown[]> = { [Index in keyof Values]: Arbitrary<Values[Index]> };

/** Checks that the assertions of `predicate` hold for many values, the same on every run. */
export const property = <Values extends [unknown, ...unknown[]]>(
  t: Pick<Test, 'comment' | 'pass'>,
  arbitraries: Arbitraries<Values>,
  holds: (...values: Values) => boolean,
  numRuns = 1_000,
): void => {
  fc.assert(fc.property(...arbitraries, holds), { seed: SEED, numRuns });
  t.pass(`holds for ${numRuns} cases from seed ${SEED}`);
};
