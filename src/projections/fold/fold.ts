import { CATALOGUE, type DomainEvent } from '../../domain/catalogue.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../domain/flag/flag.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import {
  absentProject,
  evolveProject,
  type ExistingProject,
} from '../../domain/project/project.js';
import { type SegmentEvent } from '../../domain/segment/events.js';
import {
  absentSegment,
  evolveSegment,
  type ExistingSegment,
} from '../../domain/segment/segment.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import {
  absentOrganization,
  evolveOrganization,
  type ExistingOrganization,
} from '../../domain/organization/organization.js';
import { type Category, parseStream, projectIdOf, type StreamParts } from '../../domain/streams.js';
import { type LogEvent } from '../event-log.js';
import { listBase, type ListBase } from './list-base.js';
import { checkFlag, checkOrganization, checkProject, checkSegment } from './shape.js';
import { storableText } from './storable.js';
import { isAuditable, understand } from './understand.js';

type Place = Readonly<{ revision: number; position: number }>;
export type TrackedProject = Place &
  Readonly<{ category: 'project'; projectId: string; state: ExistingProject }>;
export type TrackedFlag = Place &
  Readonly<{ category: 'flag'; projectId: string; key: string; state: ExistingFlag }>;
export type TrackedSegment = Place &
  Readonly<{
    category: 'segment';
    projectId: string;
    key: string;
    state: ExistingSegment;
    lists?: ListBase;
  }>;
export type TrackedOrganization = Place &
  Readonly<{ category: 'organization'; organizationId: string; state: ExistingOrganization }>;
/** Streams whose events only the audit trail holds. */
type OtherCategory = Exclude<Category, 'project' | 'flag' | 'segment' | 'organization'>;
type TrackedOther = Place & Readonly<{ category: OtherCategory }>;

/**
 * A stream that stands still in front of an event that cannot be applied; its later events wait in the log. Revision and
 * position are those of the last of them.
 */
export type TrackedParked = Place &
  Readonly<{
    category: 'parked';
    /** The event in front of which it stands, and why. */
    since: Place & Readonly<{ type: string; recordedAt: string; error: string }>;
    /** How many events came after that one. */
    waiting: number;
  }>;

/** Where a stream stands, and the state that its events make. */
export type Tracked =
  | TrackedProject
  | TrackedFlag
  | TrackedSegment
  | TrackedOrganization
  | TrackedOther
  | TrackedParked;

/**
 * One event and what its stream became by it. `recordedAt` of the event never decreases along the log; `storedAt` is the
 * store's own time of it.
 */
export type Step = Readonly<{
  event: LogEvent;
  storedAt: string;
  parts: StreamParts;
  after: Tracked;
  /** False when its data or metadata cannot be stored: the audit trail then has its place only. */
  isAuditable: boolean;
}>;

export type Folded = Readonly<{ steps: readonly Step[] }>;

/** Events that Postgres would not take: log position → why, and whether the audit trail took them. */
export type Refusals = ReadonlyMap<number, Readonly<{ error: string; isAuditable: boolean }>>;

const NO_REFUSALS: Refusals = new Map();

const isProjectEvent = (event: DomainEvent): event is ProjectEvent =>
  CATALOGUE[event.type] === 'project';
const isFlagEvent = (event: DomainEvent): event is FlagEvent => CATALOGUE[event.type] === 'flag';
const isSegmentEvent = (event: DomainEvent): event is SegmentEvent =>
  CATALOGUE[event.type] === 'segment';

const isOrganizationEvent = (event: DomainEvent): event is OrganizationEvent =>
  CATALOGUE[event.type] === 'organization';

const evolvedProject = (
  event: ProjectEvent,
  { organizationId, projectKey }: StreamParts,
  before: Tracked | undefined,
): Pick<TrackedProject, 'category' | 'projectId' | 'state'> => {
  const state = evolveProject(before?.category === 'project' ? before.state : absentProject, event);
  if (state.status === 'absent') throw new Error('The stream does not begin with a creation.');
  if (state.organizationId !== organizationId || state.key !== projectKey)
    throw new Error('The project in the data is not that of the stream.');
  checkProject(state);
  return { category: 'project', projectId: projectIdOf(organizationId, projectKey), state };
};

const evolvedFlag = (
  event: FlagEvent,
  { organizationId, projectKey, key }: StreamParts,
  before: Tracked | undefined,
): Pick<TrackedFlag, 'category' | 'projectId' | 'key' | 'state'> => {
  const projectId = projectIdOf(organizationId, projectKey ?? '');
  const state = evolveFlag(before?.category === 'flag' ? before.state : absentFlag, event);
  if (state.status === 'absent') throw new Error('The stream does not begin with a creation.');
  if (state.projectId !== projectId || state.key !== key)
    throw new Error('The flag in the data is not that of the stream.');
  checkFlag(state);
  return { category: 'flag', projectId, key, state };
};

const knownSegment = (before: Tracked | undefined): TrackedSegment | undefined =>
  before?.category === 'segment' ? before : undefined;

const evolvedSegment = (
  event: SegmentEvent,
  { organizationId, projectKey, key }: StreamParts,
  before: Tracked | undefined,
): Pick<TrackedSegment, 'category' | 'projectId' | 'key' | 'state' | 'lists'> => {
  const projectId = projectIdOf(organizationId, projectKey ?? '');
  const known = knownSegment(before);
  const state = evolveSegment(known?.state ?? absentSegment, event);
  if (state.status === 'absent') throw new Error('The stream does not begin with a creation.');
  if (state.projectId !== projectId || state.key !== key)
    throw new Error('The segment in the data is not that of the stream.');
  checkSegment(state);
  return { category: 'segment', projectId, key, state, lists: listBase(event, known, state) };
};

const evolvedOrganization = (
  event: OrganizationEvent,
  { organizationId }: StreamParts,
  before: Tracked | undefined,
): Pick<TrackedOrganization, 'category' | 'organizationId' | 'state'> => {
  const known = before?.category === 'organization' ? before.state : absentOrganization;
  const state = evolveOrganization(known, event);
  if (state.status === 'absent') throw new Error('The stream does not begin with a registration.');
  checkOrganization(state);
  return { category: 'organization', organizationId, state };
};

const HAS_STATE: readonly Category[] = ['project', 'flag', 'segment', 'organization'];

/** Whether a stream has no state here. */
export const isOther = (category: Category | undefined): category is OtherCategory =>
  category !== undefined && !HAS_STATE.includes(category);

const evolved = (event: DomainEvent, parts: StreamParts, before: Tracked | undefined) => {
  if (isProjectEvent(event)) return evolvedProject(event, parts, before);
  if (isFlagEvent(event)) return evolvedFlag(event, parts, before);
  if (isSegmentEvent(event)) return evolvedSegment(event, parts, before);
  if (isOrganizationEvent(event)) return evolvedOrganization(event, parts, before);
  if (!isOther(parts.category)) throw new Error('The event does not belong in its stream.');
  return { category: parts.category };
};

const checkRevision = (event: LogEvent, before: Tracked | undefined): void => {
  const expected = (before?.revision ?? -1) + 1;
  if (event.revision !== expected)
    throw new Error(`Revision ${expected} of the stream should come next, not ${event.revision}.`);
};

/** An event of a stream of ours, and the running maximum of the times so far. */
type Found = Readonly<{ raw: LogEvent; parts: StreamParts; recordedAt: string }>;

const appliedStep = ({ raw, parts, recordedAt }: Found, before: Tracked | undefined): Step => {
  const event = understand(raw, parts);
  checkRevision(event, before);
  const { revision, position } = event;
  const after: Tracked = { ...evolved(event, parts, before), revision, position };
  const storedAt = raw.recordedAt;
  return { event: { ...event, recordedAt }, storedAt, parts, after, isAuditable: true };
};

const messageOf = (error: unknown): string =>
  storableText(error instanceof Error ? error.message : String(error));

const parkedAt = (
  { raw: { revision, position, type }, recordedAt }: Found,
  before: Tracked | undefined,
  error: string,
): TrackedParked => {
  if (before?.category === 'parked')
    return { ...before, revision, position, waiting: before.waiting + 1 };
  const since = { revision, position, type: storableText(type), recordedAt, error };
  return { category: 'parked', since, waiting: 0, revision, position };
};

/** The step of an event that is not applied, now or before its stream is replayed. */
const parkedStep = (found: Found, before: Tracked | undefined, error: string): Step => ({
  event: { ...found.raw, recordedAt: found.recordedAt },
  storedAt: found.raw.recordedAt,
  parts: found.parts,
  after: parkedAt(found, before, error),
  isAuditable: isAuditable(found.raw),
});

const stepOf = (
  found: Found,
  before: Tracked | undefined,
  refusal: ReturnType<Refusals['get']>,
): Step => {
  if (refusal !== undefined) {
    const step = parkedStep(found, before, refusal.error);
    return { ...step, isAuditable: step.isAuditable && refusal.isAuditable };
  }
  if (before?.category === 'parked') return parkedStep(found, before, '');
  try {
    return appliedStep(found, before);
  } catch (error) {
    return parkedStep(found, before, messageOf(error));
  }
};

/**
 * Folds events in log order over what their streams were before. A stream with an event that cannot be applied is parked
 * in front of it; events of streams that are none of ours are passed by. Pure; never throws.
 * `recordedAt` is the running maximum so far: a store's clock that steps back cannot reorder history.
 */
export const foldEvents = (
  events: readonly LogEvent[],
  lookUp: (stream: string) => Tracked | undefined,
  recordedAt: string | null,
  refusals: Refusals = NO_REFUSALS,
): Folded => {
  const steps: Step[] = [];
  const latest = new Map<string, Tracked>();
  let clock = recordedAt ?? '';
  for (const raw of events) {
    const parts = parseStream(raw.stream);
    if (parts === undefined) continue;
    clock = raw.recordedAt > clock ? raw.recordedAt : clock;
    const before = latest.get(raw.stream) ?? lookUp(raw.stream);
    const step = stepOf({ raw, parts, recordedAt: clock }, before, refusals.get(raw.position));
    latest.set(raw.stream, step.after);
    steps.push(step);
  }
  return { steps };
};
