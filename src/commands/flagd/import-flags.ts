import { DomainError } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { type Flag } from '../../domain/flag/flag.js';
import { type JsonObject } from '../../domain/json.js';
import { type Metadata } from '../../domain/metadata.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';
import { type ImportFlag } from '../flag/lifecycle/import-flag.js';
import { parseFlagd, type ParsedFlag } from './parse-flagd.js';

/** What became of one flag of the file. `code` and `detail` say why it was refused. */
export type ImportedFlag = Readonly<{ flag: string }> &
  (
    | Readonly<{
        result: 'created' | 'changed' | 'unchanged';
        revision: number;
        position: number;
        events: FlagEvent[];
      }>
    | Readonly<{ result: 'refused'; code: string; detail: string }>
  );

export type ImportRequest = Readonly<{
  projectId: string;
  environments: readonly string[];
  file: JsonObject;
  metadata: Metadata;
  dryRun: boolean;
  signal: AbortSignal;
}>;

type HandleImport = (
  request: CommandRequest<ImportFlag>,
) => Promise<CommandOutcome<Flag, FlagEvent>>;

/** How many flags are written at the same time. */
const CONCURRENCY = 16;

const isKey = new RegExp(KEY_PATTERN);

const refused = (flag: string, { code, message }: DomainError): ImportedFlag => ({
  flag,
  result: 'refused',
  code,
  detail: message,
});

const toCommand = (
  { key, ...parsed }: ParsedFlag,
  { projectId, environments }: ImportRequest,
): ImportFlag => {
  if ('refusal' in parsed) throw parsed.refusal;
  if (!isKey.test(key)) {
    throw new DomainError('cannot-import', `/flags/${key} is no key: keys match ${KEY_PATTERN}.`);
  }
  const data = { projectId, flagKey: key, environments, ...parsed.definition };
  return { type: 'ImportFlag', data };
};

const resultOf = ({ events, before }: CommandOutcome<Flag, FlagEvent>) => {
  if (events.length === 0) return 'unchanged';
  return before.status === 'absent' ? 'created' : 'changed';
};

/**
 * Makes the flags of a project what a flagd file says, each flag at once or not at all.
 * A fault of the event store ends the import; importing the same file again takes up what is missing.
 * @throws DomainError when the whole file is refused
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
export const importFlags = (handle: HandleImport) => async (request: ImportRequest) => {
  const importOne = async (parsed: ParsedFlag): Promise<ImportedFlag> => {
    const { metadata, dryRun, signal } = request;
    const commandId = `${metadata.commandId}:${parsed.key}`;
    try {
      const outcome = await handle({
        command: toCommand(parsed, request),
        metadata: { ...metadata, commandId },
        dryRun,
        signal,
      });
      const { revision, position, events } = outcome;
      const result = resultOf(outcome);
      return { flag: parsed.key, result, revision, position, events: [...events] };
    } catch (error) {
      if (error instanceof DomainError) return refused(parsed.key, error);
      throw error;
    }
  };

  const flags = parseFlagd(request.file);
  const report: ImportedFlag[] = [];
  for (let next = 0; next < flags.length; next += CONCURRENCY) {
    report.push(...(await Promise.all(flags.slice(next, next + CONCURRENCY).map(importOne))));
  }
  return report;
};

/** How many flags had each result. */
export const summarise = (report: readonly ImportedFlag[]) => {
  const summary = { created: 0, changed: 0, unchanged: 0, refused: 0 };
  for (const { result } of report) summary[result] += 1;
  return summary;
};
