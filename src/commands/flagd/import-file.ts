import { DomainError } from '../../domain/decider.js';
import { type JsonObject } from '../../domain/json.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { type BatchRequest, type FlagReport, type HandleFlag, onManyFlags } from '../flag/batch.js';
import { type ImportFlag } from '../flag/lifecycle/import-flag.js';
import { readFlagdFile } from './flagd-file.js';
import {
  type HandleSegment,
  importSegments,
  NOTHING_SHARED,
  type SegmentReport,
} from './import-segments.js';
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

/** A report for each; `metadata` is the file's own, of which nothing is kept. */
export type ImportReport = Readonly<{
  segments: readonly SegmentReport[];
  flags: readonly FlagReport[];
  metadata?: JsonObject;
}>;

type Handlers = Readonly<{ flags: HandleFlag<ImportFlag>; segments: HandleSegment }>;

/**
 * Makes the flags of a project what a flagd file says, each flag at once or not at all, after the segments that they need.
 * A fault of the event store ends the import; importing the same file again takes up what is missing.
 * @throws DomainError when the whole file is refused
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
export const importFile = ({ flags, segments }: Handlers) => {
  const makeSegments = importSegments(segments);
  return async (request: ImportRequest): Promise<ImportReport> => {
    const file = readFlagdFile(request.file);
    const isExact = request.targeting === 'exact';
    const shared = isExact ? NOTHING_SHARED : await makeSegments(file, request);
    const { reports, keys, assumedSegments } = shared;
    const tasks = parseFlagd(file, request.targeting, keys).map((parsed) => ({
      flag: parsed.key,
      toCommand: () => toCommand(parsed, request),
    }));
    return {
      segments: reports,
      flags: await onManyFlags(flags, tasks, { ...request, assumedSegments }),
      ...(file.metadata && { metadata: file.metadata }),
    };
  };
};
