import { DomainError } from '../../domain/decider.js';
import { type JsonObject } from '../../domain/json.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { NO_STREAM } from '../event-store.js';
import {
  type BatchRequest,
  type FlagReport,
  type HandleFlag,
  inBatches,
  onManyFlags,
  type Prepared,
} from '../flag/batch.js';
import { type ImportFlag } from '../flag/lifecycle/import-flag.js';
import { ConflictingChanges, conflictsIn, type OnConflict } from '../merging/three-way.js';
import { type FlagdFile, readFlagdFile } from './flagd-file.js';
import { type Histories, projectHere, type Written } from './here.js';
import {
  type HandleSegment,
  importSegments,
  NOTHING_SHARED,
  type SegmentReport,
} from './import-segments.js';
import { isObject } from './place.js';
import { parseFlagd, type ParsedFlag, type TargetingMode } from './parse-flagd.js';
import { planFlag } from './plan-flag.js';

export type ImportRequest = BatchRequest &
  Readonly<{
    projectId: string;
    environments: readonly string[];
    /** An active environment of the project that is not among them. */
    otherEnvironment: string | undefined;
    file: JsonObject;
    targeting: TargetingMode;
    onConflict: OnConflict;
  }>;

const isKey = new RegExp(KEY_PATTERN);

/** A report for each; `metadata` is the file's own, of which nothing is kept. */
export type ImportReport = Readonly<{
  segments: readonly SegmentReport[];
  flags: readonly FlagReport[];
  metadata?: JsonObject;
}>;

type Ports = Histories & Readonly<{ flags: HandleFlag<ImportFlag>; segments: HandleSegment }>;

type Plan = () => Promise<Prepared<ImportFlag>>;

/** What is read stays the same until something is written. */
const readOnce = ({ flagHistory, segmentHistory }: Histories): Histories => {
  const flags = new Map<string, ReturnType<Histories['flagHistory']>>();
  const segments = new Map<string, ReturnType<Histories['segmentHistory']>>();
  return {
    flagHistory: (projectId, key) => {
      const known = flags.get(key) ?? flagHistory(projectId, key);
      flags.set(key, known);
      return known;
    },
    segmentHistory: (projectId, key) => {
      const known = segments.get(key) ?? segmentHistory(projectId, key);
      segments.set(key, known);
      return known;
    },
  };
};

/** Plans one flag by what the log has. */
const planner = (file: FlagdFile, request: ImportRequest, histories: Histories) => {
  const { projectId, environments } = request;
  const readers = environments.map(
    (environment) => [environment, projectHere(histories, projectId, environment)] as const,
  );
  return async ({ key, ...parsed }: ParsedFlag): Promise<Prepared<ImportFlag>> => {
    if ('refusal' in parsed) throw parsed.refusal;
    if (!isKey.test(key)) {
      throw new DomainError('cannot-import', `/flags/${key} is no key: keys match ${KEY_PATTERN}.`);
    }
    const history = await histories.flagHistory(projectId, key);
    const written = new Map<string, Written | undefined>();
    for (const [environment, read] of readers) written.set(environment, await read(key, history));
    const raw = file.flags[key];
    const flag = { key, ...parsed, raw: isObject(raw) ? raw : {} };
    const { command, notes } = planFlag(flag, { history, written }, request);
    return { command, notes, expectedRevision: history.at(-1)?.revision ?? NO_STREAM };
  };
};

/** The first plan is made before anything is written, since flags are compared as they all are then. */
const planned = async (first: Plan, again: Plan): Promise<Plan> => {
  const settled = await first().then(
    (plan) => () => plan,
    (error: unknown) => () => {
      throw error;
    },
  );
  let isFirst = true;
  return async () => {
    if (!isFirst) return again();
    isFirst = false;
    return settled();
  };
};

/**
 * Makes the flags of a project what a flagd file says, each flag at once or not at all, after the segments that they need.
 * What was changed here since the last import stays, or is a conflict; with `fail` a conflict ends the import before
 * anything is written.
 * A fault of the event store ends the import; importing the same file again takes up what is missing.
 * @throws DomainError when the whole file is refused, ConflictingChanges
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
export const importFile = (ports: Ports) => {
  const makeSegments = importSegments(ports.segments, ports.segmentHistory);

  const run = async (request: ImportRequest): Promise<ImportReport> => {
    const file = readFlagdFile(request.file);
    const isExact = request.targeting === 'exact';
    const shared = isExact ? NOTHING_SHARED : await makeSegments(file, request);
    const { reports, keys, assumedSegments } = shared;
    const plan = planner(file, request, readOnce(ports));
    const again = (parsed: ParsedFlag) => planner(file, request, ports)(parsed);
    const tasks = await inBatches(
      parseFlagd(file, request.targeting, keys),
      async (parsed: ParsedFlag) => ({
        flag: parsed.key,
        prepare: await planned(
          () => plan(parsed),
          () => again(parsed),
        ),
      }),
    );
    return {
      segments: reports,
      flags: await onManyFlags(ports.flags, tasks, { ...request, assumedSegments }),
      ...(file.metadata && { metadata: file.metadata }),
    };
  };

  return async (request: ImportRequest): Promise<ImportReport> => {
    if (request.onConflict === 'fail' && !request.dryRun) {
      const { segments, flags } = await run({ ...request, dryRun: true });
      const conflicts = conflictsIn([...segments, ...flags]);
      if (conflicts.length > 0) throw new ConflictingChanges('The project', conflicts);
    }
    return run(request);
  };
};
