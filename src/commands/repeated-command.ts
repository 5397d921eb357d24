import { type Command, type Decider, DomainError, type Event } from '../domain/decider.js';
import { type Recorded } from '../domain/recorded.js';
import { type CommandOutcome, type CommandRequest } from './command.js';
import {
  AppendOutcomeUnknown,
  beforeAbort,
  CommandNotStarted,
  type EventStore,
  NO_STREAM,
} from './event-store.js';

/** Answers that are kept although nobody waits for them any more. */
const MAX_KEPT = 20;

type Fold<S, E extends Event> = Pick<Decider<S, Command, E>, 'initialState' | 'evolve'>;

/** The answer that the first request with a command id got, from the log. */
export const repeatedCommands = <S, E extends Event>(
  store: EventStore,
  { initialState, evolve }: Fold<S, E>,
) => {
  /** Being read, or read and not given to anybody yet: of a long stream it takes longer than a command may. */
  const begun = new Map<string, Promise<CommandOutcome<S, E>>>();

  /** The events of the command, and the state before them. */
  const find = async (stream: string, commandId: string) => {
    const found: Recorded<E>[] = [];
    let before = initialState;
    for (let revision = NO_STREAM, isEnd = false; !isEnd;) {
      const page = await store.readPage<E>(stream, revision + 1);
      for (const event of page.events) {
        if (event.metadata.commandId === commandId) found.push(event);
        else if (found.length === 0) before = evolve(before, event);
      }
      ({ revision, isEnd } = page);
      // The events of a command follow each other.
      isEnd ||= found.length > 0 && found.at(-1) !== page.events.at(-1);
    }
    return { found, before };
  };

  const outcomeOf = async (
    stream: string,
    { commandId, commandHash }: CommandRequest<Command>['metadata'],
  ): Promise<CommandOutcome<S, E>> => {
    const { found, before } = await find(stream, commandId);
    const [first, last] = [found[0], found.at(-1)];
    if (first === undefined || last === undefined)
      throw new AppendOutcomeUnknown('Not in the log.');
    if (first.metadata.commandHash !== commandHash) {
      throw new DomainError(
        'idempotency-key-reused',
        `The Idempotency-Key '${commandId}' was used for another command; use a new one.`,
      );
    }
    return {
      kind: 'repeated',
      revision: last.revision,
      position: last.position,
      events: found.map(({ type, data }) => ({ type, data }) as E),
      before,
      after: found.reduce<S>(evolve, before),
    };
  };

  const begin = (id: string, outcome: Promise<CommandOutcome<S, E>>): typeof outcome => {
    begun.set(id, outcome);
    for (const oldest of begun.keys()) {
      if (begun.size <= MAX_KEPT) break;
      begun.delete(oldest);
    }
    return outcome;
  };

  /** @throws CommandNotStarted when it takes longer than the request may: whoever asks again goes on */
  return async (
    stream: string,
    { metadata, signal }: CommandRequest<Command>,
  ): Promise<CommandOutcome<S, E>> => {
    const id = JSON.stringify([stream, metadata.commandId, metadata.commandHash]);
    const outcome = begun.get(id) ?? begin(id, outcomeOf(stream, metadata));
    try {
      const answer = await beforeAbort(signal, outcome);
      begun.delete(id);
      return answer;
    } catch (error) {
      if (!(error instanceof CommandNotStarted)) begun.delete(id);
      throw error;
    }
  };
};
