import { type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { evolveFlag, type ExistingFlag } from '../../domain/flag/flag.js';
import { type OrganizationEvent } from '../../domain/organization/events.js';
import {
  evolveOrganization,
  type ExistingOrganization,
} from '../../domain/organization/organization.js';
import { type Position } from '../../domain/position.js';
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

/** Reads no further than it must, and holds one page of the stream at a time. */
async function* eventsOf<E extends Event>(
  { readPage }: EventLog,
  stream: string,
): AsyncGenerator<Recorded<E>> {
  for (let revision = -1, isEnd = false; !isEnd;) {
    const page = await readPage<E>(stream, revision + 1);
    yield* page.events;
    ({ revision, isEnd } = page);
  }
}

const replay = async <State extends Readonly<{ status: string }>, E extends Event>(
  log: EventLog,
  [stream, position]: readonly [stream: string, position: Position],
  evolve: (state: State | Absent, event: E) => State | Absent,
): Promise<Replayed<State>> => {
  let state: State | Absent = { status: 'absent' };
  let [createdAt, last, next]: [string?, Recorded?, Recorded?] = [];
  for await (const event of eventsOf<E>(log, stream)) {
    createdAt ??= event.recordedAt;
    if (event.position > position) {
      next = event;
      break;
    }
    state = evolve(state, event);
    last = event;
  }
  if (createdAt === undefined) return { found: 'nothing' };
  if (last === undefined || !isThere(state)) return { found: 'later', createdAt };
  return { found: 'state', state, createdAt, last, ...(next && { next }) };
};

/** A flag as the log itself has it at a position. */
export const replayFlag = (
  log: EventLog,
  projectId: string,
  flag: string,
  position: Position,
): Promise<Replayed<ExistingFlag>> =>
  replay<ExistingFlag, FlagEvent>(log, [flagStream(projectId, flag), position], evolveFlag);

/** A project as the log itself has it at a position. */
export const replayProject = (
  log: EventLog,
  projectId: string,
  position: Position,
): Promise<Replayed<ExistingProject>> =>
  replay<ExistingProject, ProjectEvent>(log, [projectStream(projectId), position], evolveProject);

/** A segment as the log itself has it at a position. */
export const replaySegment = (
  log: EventLog,
  projectId: string,
  segment: string,
  position: Position,
): Promise<Replayed<ExistingSegment>> =>
  replay<ExistingSegment, SegmentEvent>(
    log,
    [segmentStream(projectId, segment), position],
    evolveSegment,
  );

/** An organization as the log itself has it at a position. */
export const replayOrganization = (
  log: EventLog,
  organizationId: string,
  position: Position,
): Promise<Replayed<ExistingOrganization>> =>
  replay<ExistingOrganization, OrganizationEvent>(
    log,
    [organizationStream(organizationId), position],
    evolveOrganization,
  );
