import { type Command, DomainError, type Event } from '../../domain/decider.js';
import { type Loaded } from './aggregates.js';
import { type CommandOutcome, type CommandRequest, type HandlerDeps } from './command.js';
import {
  appendEvents,
  AppendOutcomeUnknown,
  beforeAbort,
  StaleDecision,
  WrongRevision,
} from './event-store.js';
import { repeatedCommands } from './repeated-command.js';
import { weightOf } from './snapshots.js';
import { streamQueue } from './stream-queue.js';

/** How often a decision is made again after another process wrote first. */
const MAX_ATTEMPTS = 3;

/** After this the log is asked whether it has a command; then after twice as long, and so on. */
const FIRST_LOOK_MS = 10;

/** Characters of events that take longer to seal and to write than a command usually may. */
const LARGE_APPEND = 64 * 1024;

const nothing = async (): Promise<void> => undefined;

/** Answers a command that was written before as it was answered then. */
type Repeated<S, C extends Command, E extends Event> = (
  stream: string,
  request: CommandRequest<C>,
) => Promise<CommandOutcome<S, E>>;

type Decision<E> = Readonly<{ events: readonly E[]; refusal?: DomainError }>;

const attempt = <E>(decide: () => readonly E[]): Decision<E> => {
  try {
    return { events: decide() };
  } catch (error) {
    if (error instanceof DomainError) return { events: [], refusal: error };
    throw error;
  }
};

/** @throws StaleDecision when it is certain that the caller's decision was made on another revision */
const isExpected = (revision: number, expected: number | undefined, fresh: boolean): boolean => {
  if (expected === undefined || expected === revision) return true;
  if (fresh) throw new StaleDecision(expected, revision);
  return false;
};

const outcomeKind = (eventCount: number, dryRun = false): CommandOutcome<never, never>['kind'] => {
  if (eventCount === 0) return 'unchanged';
  return dryRun ? 'dry-run' : 'recorded';
};

/** What the state at hand says of a command; `undefined` when only fresh state can say it. */
const decisionBy =
  <S, C extends Command, E extends Event, R>({
    decide,
    evolve,
  }: HandlerDeps<S, C, E, R>['decider']) =>
  (
    { state: before, revision, position }: Loaded<S>,
    references: R,
    { command, expectedRevision, dryRun }: CommandRequest<C>,
    fresh: boolean,
  ): CommandOutcome<S, E> | undefined => {
    if (!isExpected(revision, expectedRevision, fresh)) return undefined;
    const { events, refusal } = attempt(() => decide(command, before, references));
    const kind = outcomeKind(events.length, dryRun);
    if (kind !== 'recorded' && !fresh) return undefined;
    if (refusal !== undefined) throw refusal;
    return { kind, revision, position, events, before, after: events.reduce(evolve, before) };
  };

/** Writes what was decided behind the state that it was decided on, and remembers the state that it makes. */
const appendTo =
  <S, C extends Command, E extends Event, R>({ store, streams, clock }: HandlerDeps<S, C, E, R>) =>
  async (
    stream: string,
    { metadata, signal, isLarge }: CommandRequest<C>,
    loaded: Loaded<S>,
    outcome: CommandOutcome<S, E>,
  ): Promise<CommandOutcome<S, E>> => {
    const { events } = outcome;
    if (isLarge !== undefined && JSON.stringify(events).length > LARGE_APPEND) isLarge();
    const to = { stream, events, expectedRevision: loaded.head, metadata, signal };
    const { eventId, ...place } = await appendEvents(store, to);
    loaded.commands.add(metadata.commandId);
    streams.remember(stream, {
      ...loaded,
      ...place,
      eventId,
      held: loaded.held + events.length,
      unsaved: events.reduce((weight, event) => weight + weightOf(event), loaded.unsaved),
      head: place.revision,
      state: outcome.after,
      checkedAtMs: clock(),
    });
    return { ...outcome, ...place };
  };

/**
 * Looks in the log for a command whose append was not confirmed: another process may be writing it at this moment.
 * @throws `unknown` when the log does not show it before the request's time is over
 */
const lookFor =
  <S, C extends Command, E extends Event, R>(
    { streams, pause }: HandlerDeps<S, C, E, R>,
    repeated: Repeated<S, C, E>,
  ) =>
  async (
    stream: string,
    request: CommandRequest<C>,
    unknown: AppendOutcomeUnknown,
  ): Promise<CommandOutcome<S, E>> => {
    for (let waitMs = FIRST_LOOK_MS; !request.signal.aborted; waitMs *= 2) {
      streams.readOn(stream);
      try {
        const { commands } = await streams.load(stream, 0);
        if (commands.has(request.metadata.commandId))
          return { ...(await repeated(stream, request)), isOwnTry: true };
      } catch (error) {
        if (error instanceof DomainError) throw error;
        throw unknown;
      }
      await pause(waitMs);
    }
    throw unknown;
  };

/** False when only fresh state can say whether the outcome is possible. @throws DomainError when it is not */
const reservedBy =
  <S, C extends Command, E extends Event, R>({ reserve = nothing }: HandlerDeps<S, C, E, R>) =>
  async (
    request: CommandRequest<C>,
    outcome: CommandOutcome<S, E>,
    [references, fresh]: readonly [references: R, fresh: boolean],
  ): Promise<boolean> => {
    try {
      await reserve(request, outcome, references);
      return true;
    } catch (error) {
      if (fresh || !(error instanceof DomainError)) throw error;
      return false;
    }
  };

/** One attempt: load, decide, reserve, append; `undefined` when it must be made again on fresh state. */
const tryWith = <S, C extends Command, E extends Event, R>(
  deps: HandlerDeps<S, C, E, R>,
  repeated: Repeated<S, C, E>,
) => {
  const { streams, referencesOf, begins = () => false } = deps;
  const decide = decisionBy(deps.decider);
  const isReserved = reservedBy(deps);
  const append = appendTo(deps);

  /** The append of a first event says by itself whether the stream has none, so that nothing is read before. */
  const loadedFor = async (
    stream: string,
    { command, isNew }: CommandRequest<C>,
    fresh: boolean,
  ): Promise<Loaded<S>> =>
    !fresh && isNew === true && begins(command)
      ? streams.assumeNew(stream)
      : streams.load(stream, fresh ? 0 : Infinity);

  return async (
    stream: string,
    request: CommandRequest<C>,
    fresh: boolean,
  ): Promise<CommandOutcome<S, E> | undefined> => {
    const { signal } = request;
    const [loaded, references] = await beforeAbort(
      signal,
      Promise.all([loadedFor(stream, request, fresh), referencesOf(request.command, fresh)]),
    );
    if (loaded.commands.has(request.metadata.commandId)) return repeated(stream, request);
    const outcome = decide(loaded, references, request, fresh);
    if (outcome === undefined) return undefined;
    if (!(await beforeAbort(signal, isReserved(request, outcome, [references, fresh]))))
      return undefined;
    return outcome.kind === 'recorded' ? append(stream, request, loaded, outcome) : outcome;
  };
};

/**
 * Load, fold, decide, append.
 * When others wrote first the decision is made again on fresh state, up to MAX_ATTEMPTS times; with `expectedRevision` only
 * when what they wrote is not ours, else it throws StaleDecision. An answer that writes nothing is only given on fresh state.
 * @throws DomainError when refused
 */
export const commandHandler = <S, C extends Command, E extends Event, R>(
  deps: HandlerDeps<S, C, E, R>,
) => {
  const { store, decider, streams, streamOf } = deps;
  const repeated = repeatedCommands(store, decider, streams.snapshots);
  const [tryOnce, found] = [tryWith(deps, repeated), lookFor(deps, repeated)];
  const inTurn = streamQueue();

  const handle = async (
    stream: string,
    request: CommandRequest<C>,
  ): Promise<CommandOutcome<S, E>> => {
    for (let attempts = 1, fresh = false; ; fresh = true) {
      try {
        const outcome = await tryOnce(stream, request, fresh);
        if (outcome !== undefined) return outcome;
      } catch (error) {
        if (error instanceof AppendOutcomeUnknown) return found(stream, request, error);
        const isConflict = error instanceof WrongRevision && !(error instanceof StaleDecision);
        if (!isConflict || attempts++ === MAX_ATTEMPTS) throw error;
      }
    }
  };

  return (request: CommandRequest<C>): Promise<CommandOutcome<S, E>> => {
    const stream = streamOf(request.command);
    return inTurn(stream, request.signal, () => handle(stream, request));
  };
};
