/** Instants on one monotonic clock; `completedAt` is Infinity for an operation whose answer never came. */
type Interval = Readonly<{ invokedAt: number; completedAt: number }>;

/** A compare-and-append of one event: it must become revision `expected + 1`. */
export type Append = Interval &
  Readonly<{
    kind: 'append';
    id: string;
    expected: number;
    /** `ok`: acknowledged at `revision`. `conflict`: refused, not written. `unknown`: written at most once. */
    outcome: 'ok' | 'conflict' | 'unknown';
    revision?: number;
  }>;

/** Saw the first `length` events, and nothing else. */
export type Read = Interval & Readonly<{ kind: 'read'; length: number }>;

export type Operation = Append | Read;

/** The place of an effect in the one order that a stream gives: state of length L between writes L-1 and L. */
type Ranked = Interval & Readonly<{ rank: number; what: string }>;

const rankOfRead = (length: number): number => 2 * length;
const rankOfWrite = (revision: number): number => 2 * revision + 1;

const streamFlaws = (appends: readonly Append[], stream: readonly string[]): string[] => {
  const flaws: string[] = [];
  const at = new Map<string, number>();
  for (const [revision, id] of stream.entries()) {
    if (at.has(id)) flaws.push(`${id} is there twice`);
    at.set(id, revision);
  }
  const known = new Set(appends.map(({ id }) => id));
  for (const id of stream) if (!known.has(id)) flaws.push(`${id} was written by nobody`);
  for (const { id, outcome, expected, revision } of appends) {
    const place = at.get(id);
    if (outcome === 'conflict' && place !== undefined) flaws.push(`${id} is there, though refused`);
    if (outcome === 'ok' && place !== revision)
      flaws.push(`${id} is at ${place ?? 'no place'}, not at ${revision ?? 'any'}`);
    if (place !== undefined && outcome !== 'conflict' && expected !== place - 1)
      flaws.push(`${id} expected ${expected}, but became ${place}`);
  }
  return flaws;
};

const ranked = (operations: readonly Operation[], stream: readonly string[]): Ranked[] => {
  const at = new Map(stream.map((id, revision) => [id, revision]));
  return operations.flatMap((operation): Ranked[] => {
    const { invokedAt, completedAt } = operation;
    if (operation.kind === 'read') {
      const { length } = operation;
      return [{ invokedAt, completedAt, rank: rankOfRead(length), what: `read of ${length}` }];
    }
    const revision = at.get(operation.id);
    if (revision === undefined || operation.outcome === 'conflict') return [];
    const what = `write of ${revision}`;
    return [{ invokedAt, completedAt, rank: rankOfWrite(revision), what }];
  });
};

/** What began after another had ended must not have an effect before it. */
const realTimeFlaws = (effects: readonly Ranked[]): string[] => {
  const flaws: string[] = [];
  const byEnd = effects.toSorted((a, b) => a.completedAt - b.completedAt);
  let latest: Ranked | undefined;
  let nth = 0;
  for (const effect of effects.toSorted((a, b) => a.invokedAt - b.invokedAt)) {
    for (; nth < byEnd.length && byEnd[nth]!.completedAt < effect.invokedAt; nth += 1) {
      const ended = byEnd[nth]!;
      if (latest === undefined || ended.rank > latest.rank) latest = ended;
    }
    if (latest !== undefined && latest.rank > effect.rank)
      flaws.push(`${effect.what} began after ${latest.what} had ended`);
  }
  return flaws;
};

/** For every rank: the earliest instant by which it can have been reached, and the latest at which it must have been. */
const windows = (effects: readonly Ranked[]) => {
  const sorted = effects.toSorted((a, b) => a.rank - b.rank);
  const earliest: number[] = [];
  for (const { invokedAt } of sorted) earliest.push(Math.max(earliest.at(-1) ?? 0, invokedAt));
  const latest: number[] = [];
  for (const { completedAt } of sorted.toReversed())
    latest.push(Math.min(latest.at(-1) ?? Infinity, completedAt));
  latest.reverse();
  const place = new Map(sorted.map(({ rank }, index) => [rank, index]));
  return {
    earliestOf: (rank: number) => earliest[place.get(rank) ?? -1] ?? Infinity,
    latestOf: (rank: number) => latest[place.get(rank) ?? -1] ?? -Infinity,
  };
};

/** A refusal is only right when the stream may have stood elsewhere than expected while it was under way. */
const conflictFlaws = (
  appends: readonly Append[],
  stream: readonly string[],
  effects: readonly Ranked[],
): string[] => {
  const { earliestOf, latestOf } = windows(effects);
  return appends.flatMap(({ id, expected, outcome, invokedAt, completedAt }) => {
    if (outcome !== 'conflict' || expected >= stream.length) return [];
    const mayBeBehind = expected >= 0 && latestOf(rankOfWrite(expected)) >= invokedAt;
    const mayBeAhead = earliestOf(rankOfWrite(expected + 1)) <= completedAt;
    return mayBeBehind || mayBeAhead ? [] : [`${id} was refused at revision ${expected}`];
  });
};

/**
 * Whether one stream's history is linearizable: a compare-and-append stream gives the one order that is possible, so
 * this costs O(n log n). `stream`: the ids of the events that are there at the end. Refusals are judged one by one: no
 * legal history is called wrong, but two refusals that only together are impossible are not found.
 * @returns what is wrong, in words
 */
export const historyFlaws = (
  operations: readonly Operation[],
  stream: readonly string[],
): readonly string[] => {
  const appends = operations.filter((operation) => operation.kind === 'append');
  const effects = ranked(operations, stream);
  const tooLong = operations.filter(
    (operation) => operation.kind === 'read' && operation.length > stream.length,
  );
  return [
    ...streamFlaws(appends, stream),
    ...tooLong.map(() => 'a read saw more than there is'),
    ...realTimeFlaws(effects),
    ...conflictFlaws(appends, stream, effects),
  ];
};
