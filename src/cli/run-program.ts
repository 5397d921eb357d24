import { reasonOf } from '../infrastructure/check-services.js';

/** Nothing that a person could put right: a bug in here. */
const isBug = (error: unknown): error is Error =>
  error instanceof TypeError || error instanceof ReferenceError || error instanceof RangeError;

/** Ends the process with one line on stderr, whatever is still open. */
export const endWith = (program: string, error: unknown, code = 1): void => {
  const stack = isBug(error) ? `${error.stack ?? ''}\n` : '';
  // A connection that is still being made would keep the process.
  process.stderr.write(`${program}: ${reasonOf(error)}\n${stack}`, () => process.exit(code));
};

/** Runs a program of the command line and ends the process with its exit code. `codeOf`: of what it threw. */
export const runProgram = async (
  program: string,
  run: () => Promise<number>,
  codeOf: (error: unknown) => number = () => 1,
): Promise<void> => {
  try {
    process.exit(await run());
  } catch (error) {
    endWith(program, error, codeOf(error));
  }
};
