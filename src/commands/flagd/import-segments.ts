import { DomainError } from '../../domain/decider.js';
import { type Json } from '../../domain/json.js';
import { type SegmentEvent } from '../../domain/segment/events.js';
import { type Segment } from '../../domain/segment/segment.js';
import { type CommandOutcome, type CommandRequest } from '../command.js';
import { type BatchRequest, refused, type Result, resultOf } from '../flag/batch.js';
import { type ImportSegment } from '../segment/lifecycle/import-segment.js';
import { neededSegments, segmentRulesOf, type SharedCondition } from './evaluator-segments.js';
import { type FlagdFile } from './flagd-file.js';
import { NO_SEGMENTS, type SegmentKeys } from './targeting/condition.js';

/** What became of a shared condition of the file. Refused: it is put into the rules that ask it. */
export type SegmentReport = Readonly<{ segment: string; evaluator: string }> & Result<SegmentEvent>;

export type HandleSegment = (
  request: CommandRequest<ImportSegment>,
) => Promise<CommandOutcome<Segment, SegmentEvent>>;

type Place = Readonly<{ projectId: string; environments: readonly string[] }>;

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

/**
 * Makes segments of the shared conditions that rules ask, one after the other, since one may refer to another.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown
 */
export const importSegments =
  (handle: HandleSegment) =>
  async (file: FlagdFile, request: BatchRequest & Place): Promise<Imported> => {
    const { projectId, environments, metadata, grants, dryRun, signal } = request;
    const [keys, assumedSegments] = [new Map<Json, string>(), new Map<string, Segment>()];

    const importOne = async (
      { evaluator, key, expression }: SharedCondition,
      rules: ImportSegment['data']['rules'],
    ): Promise<SegmentReport> => {
      const data = { projectId, segmentKey: key, name: evaluator, rules, environments };
      const command = { type: 'ImportSegment', data } as const;
      const own = { ...metadata, commandId: `${metadata.commandId}:segment:${key}` };
      const about = { segment: key, evaluator };
      try {
        const asked = { command, metadata: own, grants, dryRun, signal, assumedSegments };
        const outcome = await handle(asked);
        keys.set(expression, key);
        if (dryRun) assumedSegments.set(key, outcome.after);
        return { ...about, ...resultOf(outcome) };
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        const why = refused(error);
        return { ...about, ...why, detail: `/$evaluators/${evaluator}: ${why.detail}` };
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
