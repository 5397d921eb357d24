import {
  type RulesetChange,
  rulesetOf,
  type SegmentDefinition,
  segmentDefinitionOf,
  segmentEntry,
} from '../domain/evaluation/ruleset.js';
import {
  segmentEdit,
  storedSegment,
  type StoredSegment,
} from '../domain/evaluation/stored-segment.js';
import { type ExistingFlag } from '../domain/flag/flag.js';
import { canonicalJson } from '../domain/json.js';
import { type Position } from '../domain/position.js';
import { type ExistingProject } from '../domain/project.js';
import { type ExistingSegment } from '../domain/segment.js';
import {
  type EventPlace,
  placesOf,
  skippedBy,
  type SkippedEvents,
  skippedEvents,
} from '../domain/skipped-events.js';
import { environmentIdOf, parseStream, projectIdOf } from '../domain/streams.js';
import { type LogEvent } from './event-log.js';
import { type Step } from './fold/fold.js';
import {
  behindSkipped,
  type Tracked,
  type TrackedFlag,
  type TrackedParked,
  type TrackedProject,
  type TrackedSegment,
  type TrackedSkipped,
} from './fold/tracked.js';

/**
 * One flag or segment in one environment: its entries as canonical JSON (null: there is none any more), and what
 * evaluating processes are told.
 */
type Entry = Readonly<{ entries: ReadonlyMap<string, string | null>; change: RulesetChange }>;

/** `environment` is the key, `id` the environmentId. */
type EntryIn = (environment: string, id: string) => Entry;

const flagEntryIn =
  (flag: TrackedFlag): EntryIn =>
  (environment, id) => {
    const ruleset = rulesetOf(flag.state, environment, flag) ?? null;
    const change = { environment: id, flag: flag.key, ruleset };
    return { entries: new Map([[flag.key, ruleset && canonicalJson(ruleset)]]), change };
  };

/** Characters of a segment that the stream of changes carries. It keeps thousands of changes, in the memory of Redis. */
const LONGEST_TOLD = 256 * 1024;

type Texts = ReadonlyMap<string, string>;

const textsOf = (stored: StoredSegment): Texts =>
  new Map([...stored].map(([name, content]) => [name, canonicalJson(content)]));

const definitionOf = (segment: TrackedSegment | undefined): SegmentDefinition | undefined =>
  segment && segmentDefinitionOf(segment.state, segment);

const lengthOf = (texts: Texts): number =>
  [...texts.values()].reduce((sum, text) => sum + text.length, 0);

type Told = (environment: string) => RulesetChange;

const toldWhole =
  (segment: string, definition: SegmentDefinition | null, length: number): Told =>
  (environment) =>
    length > LONGEST_TOLD ? { environment, reload: true } : { environment, segment, definition };

/** All entries of a segment; those that it had before and has no longer are null. */
const anew = (
  key: string,
  before: SegmentDefinition | undefined,
  after: SegmentDefinition | undefined,
): Readonly<{ entries: Entry['entries']; tell: Told }> => {
  const texts = after === undefined ? new Map<string, string>() : textsOf(storedSegment(after));
  const gone = before === undefined ? [segmentEntry(key)] : [...storedSegment(before).keys()];
  const entries = new Map<string, string | null>(gone.map((name) => [name, null]));
  for (const [name, text] of texts) entries.set(name, text);
  return { entries, tell: toldWhole(key, after ?? null, lengthOf(texts)) };
};

const changed = (
  key: string,
  before: SegmentDefinition | undefined,
  after: SegmentDefinition | undefined,
): ReturnType<typeof anew> => {
  const found = before && after && segmentEdit(before, after);
  if (found === undefined) return anew(key, before, after);
  const [entries, length] = [textsOf(found.entries), canonicalJson(found.edit).length];
  const tell: Told = (environment) =>
    length > LONGEST_TOLD
      ? { environment, reload: true }
      : { environment, segment: key, edit: found.edit };
  return { entries, tell };
};

/** `before`: as it was stored last; of a long segment only what differs is stored and told. */
const segmentEntryIn = (segment: TrackedSegment, before?: TrackedSegment): EntryIn => {
  const { entries, tell } = changed(segment.key, definitionOf(before), definitionOf(segment));
  return (_, id) => ({ entries, change: tell(id) });
};

type Place = Readonly<{ revision: number; position: Position }>;

/** Every project, flag and segment, deleted ones too, at one log position. */
export type CurrentStates = Readonly<{
  position: Position | null;
  recordedAt: string | null;
  /** The position of the last event in them. */
  applied: Position | null;
  projects: readonly (Readonly<{ projectId: string; state: ExistingProject }> & Place)[];
  flags: readonly (Readonly<{ projectId: string; key: string; state: ExistingFlag }> & Place)[];
  segments: readonly (Readonly<{ projectId: string; key: string; state: ExistingSegment }> &
    Place)[];
  /** Streams that stand still in front of an event that cannot be applied. */
  parked?: readonly (Readonly<{ stream: string }> & Omit<TrackedParked, 'category'>)[];
  /** Events that are skipped. */
  skipped?: readonly EventPlace[];
}>;

/**
 * Rulesets and segments of one environment as JSON, by entry name (ruleset.ts). Canonical, so that equal
 * ones are equal texts.
 */
export type Entries = ReadonlyMap<string, string>;

/** What becomes of one environment: filled or dropped whole, or some entries set (JSON) and removed (null). */
export type SnapshotWrite =
  | Readonly<{ environment: string; fill: Entries | null }>
  | Readonly<{ environment: string; entries: ReadonlyMap<string, string | null> }>;

export type SnapshotDelta = Readonly<{
  changes: readonly RulesetChange[];
  writes: readonly SnapshotWrite[];
}>;

const activeEnvironments = (project: TrackedProject | undefined): readonly string[] =>
  project?.state.status === 'active'
    ? project.state.environments.filter(({ status }) => status === 'active').map(({ key }) => key)
    : [];

const isMember = (tracked: Tracked): tracked is TrackedFlag | TrackedSegment =>
  tracked.category === 'flag' || tracked.category === 'segment';

/** A flag or segment after some steps, and a segment before them. */
type Touched = Readonly<{
  member: TrackedFlag | TrackedSegment;
  before: TrackedSegment | undefined;
}>;

const entryInOf = ({ member, before }: Touched): EntryIn =>
  member.category === 'flag' ? flagEntryIn(member) : segmentEntryIn(member, before);

/** What is kept of each project: by key. */
type Members<T> = Map<string, Map<string, T>>;

const keepMember = <T extends TrackedFlag | TrackedSegment>(into: Members<T>, member: T): void => {
  const siblings = into.get(member.projectId) ?? new Map<string, T>();
  into.set(member.projectId, siblings.set(member.key, member));
};

/** All states in memory, and the rulesets that follow from them: for each environment that can be evaluated. */
export const evaluationSnapshot = (loaded: CurrentStates) => {
  const projects = new Map<string, TrackedProject>();
  const flags: Members<TrackedFlag> = new Map();
  const segments: Members<TrackedSegment> = new Map();

  /** Streams of any category. */
  const parked = new Map<string, TrackedParked>();

  const keep = (tracked: Tracked): void => {
    if (tracked.category === 'project') projects.set(tracked.projectId, tracked);
    if (tracked.category === 'flag') keepMember(flags, tracked);
    if (tracked.category === 'segment') keepMember(segments, tracked);
  };
  for (const project of loaded.projects) keep({ category: 'project', ...project });
  for (const flag of loaded.flags) keep({ category: 'flag', ...flag });
  for (const segment of loaded.segments) keep({ category: 'segment', ...segment });

  const note = (stream: string, tracked: Tracked): void => {
    if (tracked.category === 'parked') parked.set(stream, tracked);
    else parked.delete(stream);
  };
  for (const { stream, ...one } of loaded.parked ?? [])
    note(stream, { category: 'parked', ...one });

  let skipped = skippedEvents(loaded.skipped ?? []);

  const touch = (
    touched: Map<string, Touched>,
    stream: string,
    member: TrackedFlag | TrackedSegment,
  ): void => {
    const isSegment = member.category === 'segment';
    const now = isSegment ? segments.get(member.projectId)?.get(member.key) : undefined;
    const first = touched.get(stream);
    touched.set(stream, { member, before: first === undefined ? now : first.before });
  };

  const stateOf = (stream: string): TrackedSkipped['before'] => {
    const { category, organizationId = '', projectKey, key } = parseStream(stream) ?? {};
    const projectId = projectIdOf(organizationId, projectKey ?? '');
    if (category === 'project') return projects.get(projectId);
    return (category === 'segment' ? segments : flags).get(projectId)?.get(key ?? '');
  };

  const entriesOf = (projectId: string, environment: string): Entries => {
    const members = [
      ...[...(flags.get(projectId)?.values() ?? [])].map(flagEntryIn),
      ...[...(segments.get(projectId)?.values() ?? [])].map((segment) => segmentEntryIn(segment)),
    ];
    const entries = new Map<string, string>();
    for (const entryIn of members) {
      const id = environmentIdOf(projectId, environment);
      for (const [name, json] of entryIn(environment, id).entries)
        if (json !== null) entries.set(name, json);
    }
    return entries;
  };

  /** Environments that came or went: readers load (or forget) them whole. */
  const reload = (projectId: string, before: readonly string[], into: Draft): void => {
    const now = activeEnvironments(projects.get(projectId));
    const came = now.filter((environment) => !before.includes(environment));
    const went = before.filter((environment) => !now.includes(environment));
    for (const environment of [...came, ...went]) {
      const id = environmentIdOf(projectId, environment);
      const fill = went.includes(environment) ? null : entriesOf(projectId, environment);
      into.writes.set(id, { environment: id, fill });
      into.changes.push({ environment: id, reload: true });
    }
  };

  const change = (projectId: string, entryIn: EntryIn, into: Draft): void => {
    for (const environment of activeEnvironments(projects.get(projectId))) {
      const id = environmentIdOf(projectId, environment);
      const write = into.writes.get(id) ?? { environment: id, entries: new Map() };
      if ('fill' in write) continue;
      const { entries, change: told } = entryIn(environment, id);
      into.writes.set(id, { environment: id, entries: new Map([...write.entries, ...entries]) });
      into.changes.push(told);
    }
  };

  return {
    /** What a stream is here: only projects, flags and segments are known. */
    lookUp: (stream: string): Tracked | undefined =>
      parked.get(stream) ?? behindSkipped(stream, stateOf(stream), skipped),
    /** What a stream was before it was parked, or is. */
    stateOf,
    parked: (): ReadonlyMap<string, TrackedParked> => parked,
    /** Events that are skipped. */
    skipped: (): SkippedEvents => skipped,
    /** Notes those that these events say are skipped; what they were stays until `apply`. */
    skip: (events: readonly LogEvent[]): void => {
      const more = events.flatMap((event) => skippedBy(event) ?? []);
      if (more.length > 0) skipped = skippedEvents([...placesOf(skipped), ...more]);
    },

    /** Takes the steps in, and tells what they change: each member and environment once, as it is after all of them. */
    apply: (steps: readonly Step[]): SnapshotDelta => {
      const before = new Map<string, readonly string[]>();
      const touched = new Map<string, Touched>();
      for (const { event, after } of steps) {
        if (after.category === 'project' && !before.has(after.projectId))
          before.set(after.projectId, activeEnvironments(projects.get(after.projectId)));
        if (isMember(after)) touch(touched, event.stream, after);
        keep(after);
        note(event.stream, after);
      }
      const draft: Draft = { changes: [], writes: new Map() };
      for (const [projectId, environments] of before) reload(projectId, environments, draft);
      for (const one of touched.values()) change(one.member.projectId, entryInOf(one), draft);
      return { changes: draft.changes, writes: [...draft.writes.values()] };
    },

    /** Everything that the snapshot consists of: environmentId → entries. */
    contents: (): ReadonlyMap<string, Entries> =>
      new Map(
        [...projects.values()].flatMap((project) =>
          activeEnvironments(project).map((environment) => [
            environmentIdOf(project.projectId, environment),
            entriesOf(project.projectId, environment),
          ]),
        ),
      ),
  };
};

type Draft = { changes: RulesetChange[]; writes: Map<string, SnapshotWrite> };

export type EvaluationSnapshot = ReturnType<typeof evaluationSnapshot>;
