import { type Command, DomainError, type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { configurationOf, type ExistingFlag, type Flag } from '../../domain/flag/flag.js';
import { sameJson } from '../../domain/json.js';
import { referencesOfSegment } from '../../domain/references.js';
import { type ExistingSegment, type Segment, type SegmentEvent } from '../../domain/segment.js';
import { usedSegments } from '../../domain/targeting/clause.js';
import { type CommandOutcome, type CommandRequest } from '../streams/command.js';
import { type RevertFlagIn, type SharedPolicy } from '../flag/revert-flag-in.js';
import { type RestoreSegment, type RevertSegment } from '../segment/lifecycle.js';
import { type BatchRequest, refused, type Result, resultOf } from './many-flags.js';

type At<State> = Readonly<{ state: State; revision: number }>;

/** Every flag and segment of a project, deleted ones too, at a moment. */
export type ProjectStates = Readonly<{
  flags: readonly At<ExistingFlag>[];
  segments: readonly At<ExistingSegment>[];
}>;

export type RevertEnvironmentRequest = BatchRequest &
  Readonly<{
    projectId: string;
    environment: string;
    shared: SharedPolicy;
    then: ProjectStates;
    now: ProjectStates;
  }>;

/** `before` and `after`: the states between which the result lies, when there was one. */
type Reverted<State, E extends Event> = Result<E> & Readonly<{ before?: State; after?: State }>;

export type RevertedFlag = Readonly<{ flag: string }> & Reverted<Flag, FlagEvent>;
export type RevertedSegment = Readonly<{ segment: string }> & Reverted<Segment, SegmentEvent>;

type Handle<S, C extends Command, E extends Event> = (
  request: CommandRequest<C>,
) => Promise<CommandOutcome<S, E>>;

type Deps = Readonly<{
  flags: Handle<Flag, RevertFlagIn, FlagEvent>;
  segments: Handle<Segment, RevertSegment | RestoreSegment, SegmentEvent>;
}>;

/** How many flags are written at the same time. */
const CONCURRENCY = 16;

/** Refusals that may be gone when other flags are back: chains of prerequisites have ten steps at most. */
const LATER: ReadonlySet<string> = new Set([
  'unknown-flag',
  'reference-cycle',
  'references-too-deep',
]);
const MAX_PASSES = 12;

const byKey = <State extends { key: string }>(
  states: readonly At<State>[],
): ReadonlyMap<string, At<State>> => new Map(states.map((taken) => [taken.state.key, taken]));

/** Segments that an environment's flags used then, each after those that it uses itself. */
const segmentsInUse = (
  { flags, segments }: ProjectStates,
  environment: string,
): readonly At<ExistingSegment>[] => {
  const known = byKey(segments);
  const ordered = new Map<string, At<ExistingSegment>>();
  const visited = new Set<string>();
  const visit = (key: string): void => {
    const taken = known.get(key);
    if (taken === undefined || visited.has(key)) return;
    visited.add(key);
    for (const used of referencesOfSegment(taken.state)) visit(used.key);
    ordered.set(key, taken);
  };
  for (const { state } of flags) {
    if (state.status !== 'active') continue;
    const { rules = [] } = configurationOf(state, environment);
    for (const key of rules.flatMap(({ clauses }) => usedSegments(clauses))) visit(key);
  }
  return [...ordered.values()];
};

const membershipOf = ({ included, excluded, rules }: ExistingSegment) =>
  ({ included, excluded, rules }) as never;

/** What has to be done to a segment; name, description and tags stay as they are. */
const segmentCommand = (
  projectId: string,
  was: At<ExistingSegment>,
  is: ExistingSegment,
): RevertSegment | RestoreSegment | undefined => {
  const isGone = is.status === 'deleted';
  if (!isGone && sameJson(membershipOf(was.state), membershipOf(is))) return undefined;
  const { name, description, tags } = is;
  const segment = { ...was.state, name, description, tags };
  const snapshot = { segment, revision: was.revision };
  const type = isGone ? 'RestoreSegment' : 'RevertSegment';
  return { type, data: { projectId, segmentKey: is.key, snapshot } };
};

const sharedSegment = (): DomainError =>
  new DomainError(
    'shared-changed',
    'It has changed since, and other environments share it; "shared": "restore" takes it back, too.',
  );

/**
 * Makes an environment behave as it did at a moment: its flags, and with `shared: restore` what they share with other
 * environments. A flag that was not there then gets no value. Each flag and segment at once or not at all; the same
 * request again takes up what is missing.
 * @throws EventStoreUnavailable, AppendOutcomeUnknown: a fault ends it
 */
export const revertEnvironment =
  ({ flags: handleFlag, segments: handleSegment }: Deps) =>
  async (
    request: RevertEnvironmentRequest,
  ): Promise<Readonly<{ flags: RevertedFlag[]; segments: RevertedSegment[] }>> => {
    const { projectId, environment, shared, then, now, metadata, grants, dryRun, signal } = request;
    const own = (kind: string, key: string) => ({
      ...metadata,
      commandId: `${metadata.commandId}:${kind}:${key}`,
    });
    const assumed = new Map<string, Segment>();

    const revertSegment = async (was: At<ExistingSegment>): Promise<RevertedSegment> => {
      const { key } = was.state;
      const is = byKey(now.segments).get(key) ?? was;
      const command = segmentCommand(projectId, was, is.state);
      const at = { revision: is.revision, position: -1, events: [] };
      if (command === undefined) return { segment: key, result: 'unchanged', ...at };
      if (shared === 'keep') return { segment: key, ...refused(sharedSegment()) };
      try {
        const outcome = await handleSegment({
          ...{ command, metadata: own('segment', key), grants, dryRun, signal },
          ...(dryRun && { assumedSegments: assumed }),
        });
        assumed.set(key, outcome.after);
        const { before, after } = outcome;
        return { segment: key, ...resultOf(outcome), before, after };
      } catch (error) {
        if (error instanceof DomainError) return { segment: key, ...refused(error) };
        throw error;
      }
    };

    const before = byKey(then.flags);
    const revertFlag = async (key: string): Promise<RevertedFlag> => {
      const was = before.get(key);
      const snapshot = was && { flag: was.state, revision: was.revision };
      const data = { projectId, flagKey: key, environment, shared, ...(snapshot && { snapshot }) };
      try {
        const outcome = await handleFlag({
          ...{ command: { type: 'RevertFlagIn', data }, metadata: own('flag', key) },
          ...{ grants, dryRun, signal },
          ...(dryRun && { assumedSegments: assumed }),
        });
        return { flag: key, ...resultOf(outcome), before: outcome.before, after: outcome.after };
      } catch (error) {
        if (error instanceof DomainError) return { flag: key, ...refused(error) };
        throw error;
      }
    };

    const segments: RevertedSegment[] = [];
    for (const was of segmentsInUse(then, environment)) segments.push(await revertSegment(was));

    const reports = new Map<string, RevertedFlag>();
    let keys = now.flags.map(({ state }) => state.key);
    for (let pass = 0; pass < MAX_PASSES && keys.length > 0; pass += 1) {
      for (let next = 0; next < keys.length; next += CONCURRENCY) {
        const some = await Promise.all(keys.slice(next, next + CONCURRENCY).map(revertFlag));
        for (const report of some) reports.set(report.flag, report);
      }
      const late = keys.filter((key) => {
        const report = reports.get(key);
        return report?.result === 'refused' && LATER.has(report.code);
      });
      if (dryRun || late.length === keys.length) break;
      keys = late;
    }
    return { flags: [...reports.values()], segments };
  };
