import { type Test } from 'tap';
import { type Command, type Decider, DomainError, type Event } from '../../src/domain/decider.js';

const refusal = (act: () => unknown): string => {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error.code;
    throw error;
  }
  return 'not refused';
};

/** One test, one sentence: `given(t, decider, references)(...events).when(command).thenRecords(...events)`. */
export const given =
  <S, C extends Command, E extends Event, R>(
    t: Test,
    { initialState, evolve, decide }: Decider<S, C, E, R>,
    references: R,
  ) =>
  (...history: E[]) => ({
    when: (command: C) => {
      const act = () => decide(command, history.reduce(evolve, initialState), references);
      return {
        thenRecords: (...expected: E[]) => t.strictSame(act(), expected),
        thenRefuses: (code: string) => t.equal(refusal(act), code),
      };
    },
  });
