import { type Command, DomainError } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type Metadata } from '../../domain/metadata.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';

/** What became of one flag. `code` and `detail` say why it was refused. */
export type FlagReport = Readonly<{ flag: string }> &
  (
    | Readonly<{
        result: 'created' | 'changed' | 'unchanged';
        revision: number;
        position: number;
        events: FlagEvent[];
      }>
    | Readonly<{ result: 'refused'; code: string; detail: string }>
  );

/** One flag, and how to make its command. @throws DomainError when there is none for it */
export type FlagTask<C> = Readonly<{ flag: string; toCommand: () => C | Promise<C> }>;

export type BatchRequest = Readonly<{ metadata: Metadata; dryRun: boolean; signal: AbortSignal }>;

export type HandleFlag<C extends Command> = (
  request: CommandRequest<C>,
) => Promise<CommandOutcome<Flag, FlagEvent>>;

/** How many flags are written at the same time. */
const CONCURRENCY = 16;

const refused = (flag: string, { code, message }: DomainError): FlagReport => ({
  flag,
  result: 'refused',
  code,
  detail: message,
});

const reportOf = (flag: string, outcome: CommandOutcome<Flag, FlagEvent>): FlagReport => {
  const { before, events, revision, position } = outcome;
  const written = before.status === 'absent' ? 'created' : 'changed';
  const result = events.length === 0 ? 'unchanged' : written;
  return { flag, result, revision, position, events: [...events] };
};

/**
 * One command each on many flags: each at once or not at all, all under one command id, so that a repeat takes up what is missing.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends the batch
 */
export const onManyFlags = async <C extends Command>(
  handle: HandleFlag<C>,
  tasks: readonly FlagTask<C>[],
  { metadata, dryRun, signal }: BatchRequest,
): Promise<readonly FlagReport[]> => {
  const runOne = async ({ flag, toCommand }: FlagTask<C>): Promise<FlagReport> => {
    try {
      const command = await toCommand();
      const own = { ...metadata, commandId: `${metadata.commandId}:${flag}` };
      return reportOf(flag, await handle({ command, metadata: own, dryRun, signal }));
    } catch (error) {
      if (error instanceof DomainError) return refused(flag, error);
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
