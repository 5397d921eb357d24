import { type Command, DomainError, type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';

/** What became of one of many. `code` and `detail` say why it was refused. */
export type Result<E extends Event> =
  | Readonly<{
      result: 'created' | 'changed' | 'unchanged';
      revision: number;
      position: number;
      events: E[];
    }>
  | Readonly<{ result: 'refused'; code: string; detail: string }>;

/** What became of one flag. */
export type FlagReport = Readonly<{ flag: string }> & Result<FlagEvent>;

/** One flag, and how to make its command. @throws DomainError when there is none for it */
export type FlagTask<C> = Readonly<{ flag: string; toCommand: () => C | Promise<C> }>;

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

export const refused = ({ code, message }: DomainError) => ({
  result: 'refused' as const,
  code,
  detail: message,
});

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
  const runOne = async ({ flag, toCommand }: FlagTask<C>): Promise<FlagReport> => {
    try {
      const command = await toCommand();
      const own = { ...metadata, commandId: `${metadata.commandId}:${flag}` };
      return { flag, ...resultOf(await handle({ ...request, command, metadata: own })) };
    } catch (error) {
      if (error instanceof DomainError) return { flag, ...refused(error) };
      throw error;
    }
  };
  const reports: FlagReport[] = [];
  for (let next = 0; next < tasks.length; next += CONCURRENCY) {
    reports.push(...(await Promise.all(tasks.slice(next, next + CONCURRENCY).map(runOne))));
  }
  return reports;
};

/** How many flags had each result. */
export const summarise = (reports: readonly FlagReport[]) => {
  const summary = { created: 0, changed: 0, unchanged: 0, refused: 0 };
  for (const { result } of reports) summary[result] += 1;
  return summary;
};
