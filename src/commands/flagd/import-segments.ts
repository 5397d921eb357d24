import { DomainError } from '../../domain/decider.js';
import { type Json } from '../../domain/json.js';
import { type SegmentEvent } from '../../domain/segment/events.js';
import { absentSegment, evolveSegment, type Segment } from '../../domain/segment/segment.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';
import { NO_STREAM } from '../event-store.js';
import {
  type BatchRequest,
  type Notes,
  notesOf,
  refused,
  type Result,
  resultOf,
  retried,
} from '../flag/batch.js';
import { importedBase, withLastChanges } from '../merging/last-change.js';
import {
  agreedBase,
  ConflictingChanges,
  isUnresolved,
  mergeFields,
  type OnConflict,
} from '../merging/three-way.js';
import { IMPORTED_TAG, type ImportSegment } from '../segment/lifecycle/import-segment.js';
import { neededSegments, segmentRulesOf, type SharedCondition } from './evaluator-segments.js';
import { type FlagdFile } from './flagd-file.js';
import { type Histories } from './here.js';
import { NO_SEGMENTS, type SegmentKeys } from './targeting/condition.js';

/** What became of a shared condition of the file. Refused: it is put into the rules that ask it. */
export type SegmentReport = Readonly<{ segment: string; evaluator: string }> &
  Notes &
  Result<SegmentEvent>;

export type HandleSegment = (
  request: CommandRequest<ImportSegment>,
) => Promise<CommandOutcome<Segment, SegmentEvent>>;

type Place = Readonly<{
  projectId: string;
  environments: readonly string[];
  onConflict: OnConflict;
}>;

type Imported = Readonly<{
  reports: readonly SegmentReport[];
  /** Of the segments that rules can refer to now. */
  keys: SegmentKeys;
  /** Of a dry run: what they would be. */
  assumedSegments: ReadonlyMap<string, Segment>;
}>;

export const NOTHING_SHARED: Imported = {
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
export const importSegments =
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
