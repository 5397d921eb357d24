import { type Position } from '../../domain/position.js';
/** Numbers of things by name; a name that is not there has none. */
export type Amounts = ReadonlyMap<string, number>;

/** What there was at a log position. */
export type Counted = Readonly<{ position: Position; amounts: Amounts }>;

/** Something that was let in. The count knows of it from its position on, or from a time on when that is not known. */
type Taken = {
  amounts: Amounts;
  position: Position | undefined;
  untilMs: number;
  /** The thing whose whole content it is. */
  contentOf: string | undefined;
};

/** How long at most a command may go on, and how long it may take until what it wrote is counted. */
const UNDER_WAY_MS = 600_000;
const UNCOUNTED_MS = 60_000;

/** What a request waits for a count at most. */
const PATIENCE_MS = 2_000;

/** Counting takes at most one part in so many of the time. */
const SHARE = 20;

export type UsageTally = Readonly<{
  /** What is used: as counted last, and what was let in since. */
  used: (name: string) => number;
  names: () => Iterable<string>;
  /** Counts anew unless the last count is younger. Waits for it the first time, or when told to. */
  refresh: (ageMs: number, waits: boolean) => Promise<void>;
  /** What is not counted yet of the last content of a thing, in whose place a new one comes. */
  replaced: (contentOf: string | undefined, name: string) => number;
  /** Until the returned function says at which position it was written; `null`: not at all, undefined: not known. */
  take: (amounts: Amounts, contentOf?: string) => (position: Position | null | undefined) => void;
}>;

/** Keeps what `count` said last, with what was let in since. While it fails, only the latter is known. */
export const usageTally = (
  count: () => Promise<Counted>,
  onError: (error: unknown) => void,
): UsageTally => {
  let counted: Counted | undefined;
  let [countedMs, tookMs] = [-Infinity, 0];
  let counting: Promise<void> | undefined;
  const taken = new Set<Taken>();
  const pending = new Map<string, number>();
  const contents = new Map<string, Taken>();

  const add = (amounts: Amounts, sign: 1 | -1): void => {
    for (const [name, amount] of amounts)
      pending.set(name, (pending.get(name) ?? 0) + sign * amount);
  };
  const drop = (one: Taken): void => {
    if (taken.delete(one)) add(one.amounts, -1);
    if (one.contentOf !== undefined && contents.get(one.contentOf) === one)
      contents.delete(one.contentOf);
  };
  /** When there are two contents of one thing, the later one stays. */
  const replace = (one: Taken, contentOf: string, position: Position): void => {
    const other = contents.get(contentOf);
    const isLate = other?.position !== undefined && other.position > position;
    if (isLate) drop(one);
    else {
      if (other) drop(other);
      contents.set(contentOf, one);
    }
  };
  const isCounted = ({ position, untilMs }: Taken, upTo: Position): boolean =>
    position === undefined ? untilMs <= performance.now() : position <= upTo;

  const countNow = async (): Promise<void> => {
    const startedMs = performance.now();
    try {
      counted = await count();
      for (const one of taken) if (isCounted(one, counted.position)) drop(one);
    } catch (error) {
      onError(error);
    }
    countedMs = performance.now();
    tookMs = countedMs - startedMs;
    counting = undefined;
  };

  return {
    used: (name) => (counted?.amounts.get(name) ?? 0) + (pending.get(name) ?? 0),
    names: () => new Set([...(counted?.amounts.keys() ?? []), ...pending.keys()]),

    refresh: async (ageMs, waits) => {
      if (performance.now() - countedMs < Math.max(ageMs, SHARE * tookMs)) return;
      counting ??= countNow();
      if (!waits && counted !== undefined) return;
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, PATIENCE_MS)));
      await Promise.race([counting, late]);
      clearTimeout(timer);
    },

    replaced: (contentOf = '', name) => contents.get(contentOf)?.amounts.get(name) ?? 0,

    take: (amounts, contentOf) => {
      const one: Taken = {
        amounts,
        position: undefined,
        untilMs: performance.now() + UNDER_WAY_MS,
        contentOf,
      };
      taken.add(one);
      add(amounts, 1);
      return (position) => {
        if (position === null) {
          drop(one);
          return;
        }
        Object.assign(one, { position, untilMs: performance.now() + UNCOUNTED_MS });
        if (contentOf !== undefined && position !== undefined) replace(one, contentOf, position);
      };
    },
  };
};
