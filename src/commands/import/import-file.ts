import { DomainError } from '../../domain/decider.js';
import { NO_SEGMENTS, type SegmentKeys } from '../../domain/flagd/condition.js';
import {
  neededSegments,
  segmentRulesOf,
  type SharedCondition,
} from '../../domain/flagd/evaluator-segments.js';
import { type Histories, projectHere, type Written } from '../../domain/flagd/here.js';
import {
  type FlagdFile,
  type ParsedFlag,
  parseFlagd,
  readFlagdFile,
  type TargetingMode,
} from '../../domain/flagd/parse.js';
import { isObject } from '../../domain/flagd/place.js';
import { type Json, type JsonObject } from '../../domain/json.js';
import {
  absentSegment,
  evolveSegment,
  type Segment,
  type SegmentEvent,
} from '../../domain/segment.js';
import { KEY_PATTERN } from '../../domain/streams.js';
import { type CommandOutcome, type CommandRequest } from '../streams/command.js';
import {
  type BatchRequest,
  type FlagReport,
  type HandleFlag,
  inBatches,
  type Notes,
  notesOf,
  onManyFlags,
  type Prepared,
  refused,
  type Result,
  resultOf,
  retried,
} from '../environments/many-flags.js';
import {
  agreedBase,
  ConflictingChanges,
  conflictsIn,
  importedBase,
  isUnresolved,
  mergeFields,
  type OnConflict,
  withLastChanges,
} from '../environments/merging.js';
import { NO_STREAM } from '../streams/event-store.js';
import { type ImportFlag } from '../flag/import-flag.js';
import { IMPORTED_TAG, type ImportSegment } from '../segment/import-segment.js';
import { planFlag } from './plan-flag.js';

/** What became of a shared condition of the file. Refused: it is put into the rules that ask it. */
type SegmentReport = Readonly<{ segment: string; evaluator: string }> &
  Notes &
  Result<SegmentEvent>;

type HandleSegment = (
  request: CommandRequest<ImportSegment>,
) => Promise<CommandOutcome<Segment, SegmentEvent>>;

type Place = Readonly<{
  projectId: string;
  environments: readonly string[];
  onConflict: OnConflict;
}>;

type Imported = Readonly<{
  reports: readonly SegmentReport[];
  /** The segments that rules can refer to now. */
  keys: SegmentKeys;
  /** In a dry run: what they would be. */
  assumedSegments: ReadonlyMap<string, Segment>;
}>;

const NOTHING_SHARED: Imported = {
  reports: [],
  keys: NO_SEGMENTS,
  assumedSegments: new Map(),
};

type Rules = NonNullable<ImportSegment['data']['rules']>;

type SegmentPlan = Readonly<{
  data: Pick<ImportSegment['data'], 'rules' | 'fields'>;
  notes: Notes;
}>;

const rulesIn = (segment: Segment): Json => (segment.status === 'absent' ? null : segment.rules);

const FOLD = { initialState: absentSegment, evolve: evolveSegment, read: rulesIn };

const mayChange = (segment: Segment): boolean =>
  segment.status === 'active' && segment.tags.includes(IMPORTED_TAG);

/** One that no import may change is refused by the decision. @throws ConflictingChanges */
const planSegment = (
  key: string,
  rules: Rules,
  history: Awaited<ReturnType<Histories['segmentHistory']>>,
  onConflict: OnConflict,
): SegmentPlan => {
  const here = history.reduce<Segment>(evolveSegment, absentSegment);
  const field = { name: '/rules', theirs: rulesIn(here), mine: rules as Json };
  if (!mayChange(here)) return { data: { rules, fields: agreedBase([field]) }, notes: {} };
  const known = importedBase(history);
  const merged = mergeFields([field], known, onConflict);
  const conflicts = withLastChanges(merged.conflicts, history, FOLD);
  if (isUnresolved(merged, onConflict)) throw new ConflictingChanges(`Segment '${key}'`, conflicts);
  const notes = notesOf({ conflicts, kept: merged.kept });
  const isLeft = onConflict === 'skip' && conflicts.length > 0;
  return isLeft || merged.base === known
    ? { data: {}, notes }
    : { data: { ...(merged.taken.size > 0 && { rules }), fields: merged.base }, notes };
};

/**
 * Makes segments of the shared conditions that rules ask, one after the other, since one may refer to another.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
const importSegments =
  (handle: HandleSegment, segmentHistory: Histories['segmentHistory']) =>
  async (file: FlagdFile, request: BatchRequest & Place): Promise<Imported> => {
    const { projectId, environments, metadata, grants, dryRun, signal, onConflict } = request;
    const [keys, assumedSegments] = [new Map<Json, string>(), new Map<string, Segment>()];

    const attempt = async (
      { evaluator, key, expression }: SharedCondition,
      rules: Rules,
    ): Promise<SegmentReport> => {
      const history = await segmentHistory(projectId, key);
      const { data: planned, notes } = planSegment(key, rules, history, onConflict);
      const data = { projectId, segmentKey: key, name: evaluator, environments, ...planned };
      const command = { type: 'ImportSegment', data } as const;
      const own = { ...metadata, commandId: `${metadata.commandId}:segment:${key}` };
      const expectedRevision = history.at(-1)?.revision ?? NO_STREAM;
      const asked = { command, metadata: own, grants, dryRun, signal, assumedSegments };
      const outcome = await handle({ ...asked, expectedRevision });
      keys.set(expression, key);
      if (dryRun) assumedSegments.set(key, outcome.after);
      return { segment: key, evaluator, ...notes, ...resultOf(outcome) };
    };

    const importOne = async (condition: SharedCondition, rules: Rules): Promise<SegmentReport> => {
      const { key, evaluator } = condition;
      try {
        return await retried(() => attempt(condition, rules));
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        const why = refused(error);
        const detail = `/$evaluators/${evaluator}: ${why.detail}`;
        return { segment: key, evaluator, ...why, detail };
      }
    };

    const reports: SegmentReport[] = [];
    for (const condition of neededSegments(file)) {
      // Without a segment that was refused it may be another condition, or none.
      const rules = segmentRulesOf(condition.expression, keys);
      if (rules !== undefined) reports.push(await importOne(condition, rules));
    }
    return { reports, keys, assumedSegments };
  };

type ImportRequest = BatchRequest &
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
type ImportReport = Readonly<{
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
