import { type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { evolveFlag, type ExistingFlag } from '../../domain/flag/flag.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import {
  evolveOrganization,
  type ExistingOrganization,
} from '../../domain/organization/organization.js';
import { type ProjectEvent } from '../../domain/project/events.js';
import { evolveProject, type ExistingProject } from '../../domain/project/project.js';
import { type Recorded } from '../../domain/recorded.js';
import { type SegmentEvent } from '../../domain/segment/events.js';
import { evolveSegment, type ExistingSegment } from '../../domain/segment/segment.js';
import {
  flagStream,
  organizationStream,
  projectStream,
  segmentStream,
} from '../../domain/streams.js';
import { type EventLog } from './event-log.js';

/** A stream folded up to a position; `last` is the event that led to `state`, `next` the one after it. */
export type Replayed<State> =
  | Readonly<{ found: 'state'; state: State; createdAt: string; last: Recorded; next?: Recorded }>
  | Readonly<{ found: 'later'; createdAt: string }>
  | Readonly<{ found: 'nothing' }>;

type Absent = Readonly<{ status: 'absent' }>;

const isThere = <State extends Readonly<{ status: string }>>(
  state: State | Absent,
): state is State => state.status !== 'absent';

const replay = <State extends Readonly<{ status: string }>, E extends Event>(
  events: readonly Recorded<E>[],
  position: number,
  evolve: (state: State | Absent, event: E) => State | Absent,
): Replayed<State> => {
  const [first] = events;
  if (first === undefined) return { found: 'nothing' };
  const past = events.filter((event) => event.position <= position);
  const last = past.at(-1);
  const state = past.reduce<State | Absent>(evolve, { status: 'absent' });
  if (last === undefined || !isThere(state)) return { found: 'later', createdAt: first.recordedAt };
  const next = events[past.length];
  return { found: 'state', state, createdAt: first.recordedAt, last, ...(next && { next }) };
};

/** A flag as the log itself has it at a position. */
export const replayFlag = async (
  log: EventLog,
  projectId: string,
  flag: string,
  position: number,
): Promise<Replayed<ExistingFlag>> => {
  const { events } = await log.read<FlagEvent>(flagStream(projectId, flag));
  return replay<ExistingFlag, FlagEvent>(events, position, evolveFlag);
};

/** A project as the log itself has it at a position. */
export const replayProject = async (
  log: EventLog,
  projectId: string,
  position: number,
): Promise<Replayed<ExistingProject>> => {
  const { events } = await log.read<ProjectEvent>(projectStream(projectId));
  return replay<ExistingProject, ProjectEvent>(events, position, evolveProject);
};

/** A segment as the log itself has it at a position. */
export const replaySegment = async (
  log: EventLog,
  projectId: string,
  segment: string,
  position: number,
): Promise<Replayed<ExistingSegment>> => {
  const { events } = await log.read<SegmentEvent>(segmentStream(projectId, segment));
  return replay<ExistingSegment, SegmentEvent>(events, position, evolveSegment);
};

/** An organization as the log itself has it at a position. */
export const replayOrganization = async (
  log: EventLog,
  organizationId: string,
  position: number,
): Promise<Replayed<ExistingOrganization>> => {
  const { events } = await log.read<OrganizationEvent>(organizationStream(organizationId));
  return replay<ExistingOrganization, OrganizationEvent>(events, position, evolveOrganization);
};
