import { type Event } from '../../domain/decider.js';
import { type FlagEvent } from '../../domain/flag/events.js';
import { evolveFlag, type ExistingFlag } from '../../domain/flag/flag.js';
import {
  evolveOrganization,
  type ExistingOrganization,
  type OrganizationEvent,
} from '../../domain/organization.js';
import { type Position } from '../../domain/position.js';
import { evolveProject, type ExistingProject, type ProjectEvent } from '../../domain/project.js';
import { type Recorded } from '../../domain/recorded.js';
import { evolveSegment, type ExistingSegment, type SegmentEvent } from '../../domain/segment.js';
import {
  flagStream,
  organizationStream,
  projectStream,
  segmentStream,
} from '../../domain/streams.js';

/** What replaying needs of the event store: a stream page by page, oldest event first, empty when there is none. */
export type EventLog = Readonly<{
  readPage: <E extends Event>(
    stream: string,
    fromRevision: number,
  ) => Promise<Readonly<{ events: readonly Recorded<E>[]; revision: number; isEnd: boolean }>>;
}>;

/** Streams read at the same time. */
const BATCH = 8;

/** `work` on every item, a few at a time; results in the order of the items. */
export const inBatches = async <Item, Result>(
  items: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  for (let start = 0; start < items.length; start += BATCH) {
    results.push(...(await Promise.all(items.slice(start, start + BATCH).map(work))));
  }
  return results;
};

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
