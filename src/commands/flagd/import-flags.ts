import { DomainError } from '../../domain/decider.js';
import { type JsonObject } from '../../domain/json.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { type BatchRequest, type FlagReport, type HandleFlag, onManyFlags } from '../flag/batch.js';
import { type ImportFlag } from '../flag/lifecycle/import-flag.js';
import { parseFlagd, type ParsedFlag, type TargetingMode } from './parse-flagd.js';

export type ImportRequest = BatchRequest &
  Readonly<{
    projectId: string;
    environments: readonly string[];
    file: JsonObject;
    targeting: TargetingMode;
  }>;

const isKey = new RegExp(KEY_PATTERN);

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

/**
 * Makes the flags of a project what a flagd file says, each flag at once or not at all.
 * A fault of the event store ends the import; importing the same file again takes up what is missing.
 * @throws DomainError when the whole file is refused
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
export const importFlags =
  (handle: HandleFlag<ImportFlag>) =>
  async (request: ImportRequest): Promise<readonly FlagReport[]> => {
    const tasks = parseFlagd(request.file, request.targeting).map((parsed) => ({
      flag: parsed.key,
      toCommand: () => toCommand(parsed, request),
    }));
    return onManyFlags(handle, tasks, request);
  };
