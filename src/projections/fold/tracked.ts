import { CATALOGUE, type DomainEvent } from '../../domain/catalogue.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { absentFlag, evolveFlag, type ExistingFlag } from '../../domain/flag/flag.js';
import {
  absentOrganization,
  evolveOrganization,
  type ExistingOrganization,
  type OrganizationEvent,
} from '../../domain/organization.js';
import { type Position } from '../../domain/position.js';
import {
  absentProject,
  evolveProject,
  type ExistingProject,
  type ProjectEvent,
} from '../../domain/project.js';
import { type Recorded } from '../../domain/recorded.js';
import {
  absentSegment,
  evolveSegment,
  type ExistingSegment,
  type SegmentEvent,
} from '../../domain/segment.js';
import { type SkippedEvents } from '../../domain/skipped-events.js';
import { type Category, projectIdOf, type StreamParts } from '../../domain/streams.js';
import { checkFlag, checkOrganization, checkProject, checkSegment } from './shape.js';

/**
 * Where a row of the segment has whole lists: the revision, and how many keys came and went since. A row with none since
 * has them itself.
 */
type ListBase = Readonly<{ from: number; since: number }>;

/** Shorter lists are in every row. */
const SHORT = 100;

/** Events that say what came or went, and nothing else of the lists. */
const isChange = (
  event: SegmentEvent,
): event is Extract<SegmentEvent, { type: 'SegmentKeysAdded' | 'SegmentKeysRemoved' }> =>
  event.type === 'SegmentKeysAdded' || event.type === 'SegmentKeysRemoved';

/** Events that leave the lists as they are. */
const keepsLists = (event: SegmentEvent): boolean => {
  switch (event.type) {
    case 'SegmentDetailsChanged':
    case 'SegmentRulesChanged':
    case 'SegmentDeleted':
      return true;
    case 'SegmentRestored':
    case 'SegmentReverted':
      return event.data.keysKept === true;
    default:
      return false;
  }
};

const baseAfter = (event: SegmentEvent, before: ListBase, here: ListBase, keys: number) => {
  if (!isChange(event)) return keepsLists(event) && before.since > 0 ? before : here;
  const since = before.since + event.data.included.length + event.data.excluded.length;
  return keys > Math.max(SHORT, since) ? { from: before.from, since } : here;
};

/**
 * Where the whole lists are after an event: in its own row when it says all of them, when they are short, and when as
 * many keys have come and gone as there are. So rows hold, and readers put together, no more than a few times what came.
 */
const listBase = (
  event: Recorded<SegmentEvent>,
  before: Readonly<{ lists?: ListBase }> | undefined,
  { included, excluded }: ExistingSegment,
): ListBase => {
  const here = { from: event.revision, since: 0 };
  if (before?.lists === undefined) return here;
  return baseAfter(event, before.lists, here, included.length + excluded.length);
};

type Place = Readonly<{ revision: number; position: Position }>;
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
type TrackedOrganization = Place &
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

/** A stream of which this event was passed by; `before` is what it was, and still is. */
export type TrackedSkipped = Place &
  Readonly<{ category: 'skipped'; before: Exclude<Tracked, TrackedSkipped> | undefined }>;

/** Where a stream stands, and the state that its events make. */
export type Tracked =
  | TrackedProject
  | TrackedFlag
  | TrackedSegment
  | TrackedOrganization
  | TrackedOther
  | TrackedParked
  | TrackedSkipped;

/** The state of a stream, whatever was passed by since. */
export const heldBy = (tracked: Tracked | undefined): TrackedSkipped['before'] =>
  tracked?.category === 'skipped' ? tracked.before : tracked;

/** A stream as its rows have it, with the last of its events that were passed by; `below`: those in front of a revision. */
export const behindSkipped = (
  stream: string,
  before: TrackedSkipped['before'],
  skipped: SkippedEvents,
  below = Infinity,
): Tracked | undefined => {
  const revisions = [...(skipped.get(stream) ?? [])].filter((revision) => revision < below);
  const revision = Math.max(-1, ...revisions);
  return revision > (before?.revision ?? -1)
    ? { category: 'skipped', before, revision, position: before?.position ?? -1 }
    : before;
};

const isProjectEvent = (event: DomainEvent): event is ProjectEvent =>
  CATALOGUE[event.type] === 'project';
const isFlagEvent = (event: DomainEvent): event is FlagEvent => CATALOGUE[event.type] === 'flag';
const isSegmentEvent = (event: Recorded<DomainEvent>): event is Recorded<SegmentEvent> =>
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
  event: Recorded<SegmentEvent>,
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

/** What an event of ours makes of its stream. @throws Error when it cannot be applied there */
export const evolved = (
  event: Recorded<DomainEvent>,
  parts: StreamParts,
  before: Tracked | undefined,
) => {
  if (isProjectEvent(event)) return evolvedProject(event, parts, before);
  if (isFlagEvent(event)) return evolvedFlag(event, parts, before);
  if (isSegmentEvent(event)) return evolvedSegment(event, parts, before);
  if (isOrganizationEvent(event)) return evolvedOrganization(event, parts, before);
  if (!isOther(parts.category)) throw new Error('The event does not belong in its stream.');
  return { category: parts.category };
};
