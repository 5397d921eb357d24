import { type Command, type Decider, DomainError, type Event } from '../../domain/decider.js';
import { type Recorded } from '../../domain/recorded.js';
import { commandIds } from './command-ids.js';
import { type CommandOutcome, type CommandRequest } from './command.js';
import {
  AppendOutcomeUnknown,
  beforeAbort,
  CommandNotStarted,
  type EventStore,
  type StreamPage,
} from './event-store.js';
import { resumeAtSnapshot, type Snapshots } from './snapshots.js';

/** Answers that are kept although nobody waits for them any more. */
const MAX_KEPT = 20;

/** A page of a stream, and the state before it. */
type Search<S, E extends Event> = Readonly<{ page: StreamPage<E>; before: S }>;

type Fold<S, E extends Event> = Pick<Decider<S, Command, E>, 'initialState' | 'evolve'>;

/** The answer that the first request with a command id got, from the log. */
export const repeatedCommands = <S, E extends Event>(
  store: EventStore,
  { initialState, evolve }: Fold<S, E>,
  snapshots: Snapshots,
) => {
  /** Being read, or read and not given to anybody yet: of a long stream it takes longer than a command may. */
  const begun = new Map<string, Promise<CommandOutcome<S, E>>>();

  /** Where a stream that is longer than this page goes on: behind its snapshot when that does not have the command. */
  const after = async (stream: string, commandId: string, { page, before }: Search<S, E>) => {
    const resumed = await resumeAtSnapshot<S, E>(store, snapshots, stream);
    return resumed === undefined || commandIds(resumed.snapshot.commands).has(commandId)
      ? { page: await store.readPage<E>(stream, page.revision + 1), before }
      : { page: resumed.page, before: resumed.snapshot.state };
  };

  /** Pages one after the other; before the second one it is looked for a snapshot. */
  const next = async (
    stream: string,
    commandId: string,
    { search, isFirst }: Readonly<{ search: Search<S, E>; isFirst: boolean }>,
  ): Promise<Search<S, E>> =>
    isFirst
      ? after(stream, commandId, search)
      : { ...search, page: await store.readPage<E>(stream, search.page.revision + 1) };

  /** Puts the events of the command into `found`. @returns the state in front of them, so far */
  const look = ({ page, before }: Search<S, E>, commandId: string, found: Recorded<E>[]): S => {
    let state = before;
    for (const event of page.events) {
      if (event.metadata.commandId === commandId) found.push(event);
      else if (found.length === 0) state = evolve(state, event);
    }
    return state;
  };

  /** The events of the command, and the state before them. */
  const find = async (stream: string, commandId: string) => {
    const found: Recorded<E>[] = [];
    let search: Search<S, E> = { page: await store.readPage<E>(stream, 0), before: initialState };
    for (let pages = 1; ; pages += 1) {
      const before = look(search, commandId, found);
      const { page } = search;
      // The events of a command follow each other.
      const isAll = found.length > 0 && found.at(-1) !== page.events.at(-1);
      if (page.isEnd || isAll) return { found, before };
      const isFirst = pages === 1 && found.length === 0;
      search = await next(stream, commandId, { search: { page, before }, isFirst });
    }
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
