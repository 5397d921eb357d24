/** Something that happened. Past tense, immutable, JSON-serialisable. */
export type Event<Type extends string = string, Data = unknown> = Readonly<{
  type: Type;
  data: Readonly<Data>;
}>;

/** Something someone asks for. Imperative; may be refused. */
export type Command<Type extends string = string, Data = unknown> = Readonly<{
  type: Type;
  data: Readonly<Data>;
}>;

/**
 * The write model of one stream as three pure functions (Chassaing, 2021).
 * `References` is what a decision must know of other streams, loaded by the handler.
 */
export type Decider<State, C extends Command, E extends Event, References = undefined> = Readonly<{
  initialState: State;
  evolve: (state: State, event: E) => State;
  decide: (command: C, state: State, references: References) => readonly E[];
}>;

/** A decision for every type of command, as a table: a type that has none does not compile. */
export type Decisions<
  C extends Command,
  State,
  E extends Event,
  References = undefined,
> = Readonly<{
  [Type in C['type']]: (
    command: Extract<C, { type: Type }>,
    state: State,
    references: References,
  ) => readonly E[];
}>;

/** Decides a command by its entry of the table. */
export const decideBy =
  <C extends Command, State, E extends Event, References = undefined>(
    decisions: Decisions<C, State, E, References>,
  ): Decider<State, C, E, References>['decide'] =>
  (command, state, references) => {
    const decide = decisions[command.type as C['type']];
    // The compiler does not see that the entry of a command's type takes that command.
    return decide(command as never, state, references);
  };

/** A refused command. `code` is part of the public contract: docs/errors.md. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}
