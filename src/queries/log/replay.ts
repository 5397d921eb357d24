import {
  AGGREGATES,
  type Aggregate,
  type EventOf,
  type ExistingOf,
  type StateOf,
} from '../../domain/aggregates.js';
import { type Event } from '../../domain/decider.js';
import { type Position } from '../../domain/position.js';
import { type Recorded } from '../../domain/recorded.js';

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

const isThere = <A extends Aggregate>(state: StateOf<A>): state is ExistingOf<A> =>
  state.status !== 'absent';

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

/** What the log itself makes of a stream up to a position. */
export const replay = async <A extends Aggregate>(
  log: EventLog,
  aggregate: A,
  stream: string,
  position: Position,
): Promise<Replayed<ExistingOf<A>>> => {
  const { initialState, evolve } = AGGREGATES[aggregate];
  let state: StateOf<A> = initialState;
  let [createdAt, last, next]: [string?, Recorded?, Recorded?] = [];
  for await (const event of eventsOf<EventOf<A>>(log, stream)) {
    createdAt ??= event.recordedAt;
    if (event.position > position) {
      next = event;
      break;
    }
    state = evolve(state, event);
    last = event;
  }
  if (createdAt === undefined) return { found: 'nothing' };
  if (last === undefined || !isThere<A>(state)) return { found: 'later', createdAt };
  return { found: 'state', state, createdAt, last, ...(next && { next }) };
};
