import { type Command, DomainError, type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Position } from '../../domain/position.js';
import { type CommandOutcome, type CommandRequest } from '../streams/command.js';
import { WrongRevision } from '../streams/event-store.js';
import { type Conflict, ConflictingChanges } from './merging.js';

/** What became of one of many. `code` and `detail` say why it was refused. */
export type Result<E extends Event> =
  | Readonly<{
      result: 'created' | 'changed' | 'unchanged';
      revision: number;
      position: Position;
      events: E[];
    }>
  | Readonly<{ result: 'skipped' }>
  | Readonly<{ result: 'refused'; code: string; detail: string }>;

/** What a report says besides what became of it. */
export type Notes = Readonly<{
  conflicts?: readonly Conflict[];
  /** Fields that differ and stay, because only people here changed them. */
  kept?: readonly string[];
  warnings?: readonly string[];
}>;

/** Without what there is nothing of. */
export const notesOf = ({ conflicts = [], kept = [], warnings = [] }: Notes): Notes => ({
  ...(conflicts.length > 0 && { conflicts }),
  ...(kept.length > 0 && { kept }),
  ...(warnings.length > 0 && { warnings }),
});

/** What became of one flag. */
export type FlagReport = Readonly<{ flag: string }> & Notes & Result<FlagEvent>;

/** What to do with a flag. */
export type Prepared<C> = Readonly<{
  /** Undefined: the flag is left alone. */
  command: C | undefined;
  /** That it was made for: it is made anew when the flag stands elsewhere. */
  expectedRevision?: number;
  notes?: Notes;
}>;

/** One flag, and how to make its command. @throws DomainError when there is none for it */
export type FlagTask<C> = Readonly<{ flag: string; prepare: () => Promise<Prepared<C>> }>;

export type BatchRequest = Pick<
  CommandRequest<never>,
  'metadata' | 'grants' | 'signal' | 'assumedSegments'
> &
  Readonly<{ dryRun: boolean }>;

export type HandleFlag<C extends Command> = (
  request: CommandRequest<C>,
) => Promise<CommandOutcome<Flag, FlagEvent>>;

/** How many flags are written at the same time. */
const CONCURRENCY = 16;

/** How many flags are written at the same time. */
export const inBatches = async <A, B>(
  all: readonly A[],
  run: (one: A) => Promise<B>,
): Promise<readonly B[]> => {
  const done: B[] = [];
  for (let next = 0; next < all.length; next += CONCURRENCY)
    done.push(...(await Promise.all(all.slice(next, next + CONCURRENCY).map(run))));
  return done;
};

/** How often a command is made anew after others wrote first. */
const MAX_ATTEMPTS = 3;

export const refused = (error: DomainError) => ({
  result: 'refused' as const,
  code: error.code,
  detail: error.message,
  ...(error instanceof ConflictingChanges && { conflicts: error.conflicts }),
});

/** Made anew when it was made for another state than there is. @throws WrongRevision when that does not help */
export const retried = async <T>(attempt: () => Promise<T>): Promise<T> => {
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof WrongRevision) || attempts === MAX_ATTEMPTS) throw error;
    }
  }
};

export const resultOf = <S extends Readonly<{ status: string }>, E extends Event>({
  before,
  events,
  revision,
  position,
}: CommandOutcome<S, E>): Result<E> => {
  const written = before.status === 'absent' ? 'created' : 'changed';
  const result = events.length === 0 ? 'unchanged' : written;
  return { result, revision, position, events: [...events] };
};

/**
 * One command each on many flags: each at once or not at all, all under one command id, so that a repeat takes up what is missing.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends the batch
 */
export const onManyFlags = async <C extends Command>(
  handle: HandleFlag<C>,
  tasks: readonly FlagTask<C>[],
  { metadata, grants, dryRun, signal, assumedSegments }: BatchRequest,
): Promise<readonly FlagReport[]> => {
  const request = { grants, dryRun, signal, ...(assumedSegments && { assumedSegments }) };
  const attempt = async ({ flag, prepare }: FlagTask<C>): Promise<FlagReport> => {
    const { command, notes = {}, ...expected } = await prepare();
    if (command === undefined) return { flag, ...notes, result: 'skipped' };
    const own = { ...metadata, commandId: `${metadata.commandId}:${flag}` };
    const outcome = await handle({ ...request, ...expected, command, metadata: own });
    return { flag, ...notes, ...resultOf(outcome) };
  };
  const runOne = async (task: FlagTask<C>): Promise<FlagReport> => {
    const { flag } = task;
    try {
      return await retried(() => attempt(task));
    } catch (error) {
      if (error instanceof DomainError) return { flag, ...refused(error) };
      throw error;
    }
  };
  return inBatches(tasks, runOne);
};

/** How many flags had each result. */
export const summarise = (reports: readonly FlagReport[]) => {
  const summary = { created: 0, changed: 0, unchanged: 0, skipped: 0, refused: 0 };
  for (const { result } of reports) summary[result] += 1;
  return summary;
};
