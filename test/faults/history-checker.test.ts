import { test } from 'tap';
import { type Append, historyFlaws, type Operation, type Read } from './support/history-checker.js';

type Store = { stream: string[] };

/** Deterministic, so that a failure can be repeated (mulberry32). */
const randomFrom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0;
  let mixed = Math.imul(seed ^ (seed >>> 15), seed | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};

/** What a variant of a store does between the instants at which a client's operation begins and ends. */
type Variant = Readonly<{
  /** Steps of an append: each runs at an instant of its own. */
  append: (store: Store, operation: Append) => readonly (() => void)[];
  length: (store: Store) => number;
}>;

const settled = (operation: Append, revision: number | undefined): void => {
  Object.assign(
    operation,
    revision === undefined ? { outcome: 'conflict' } : { outcome: 'ok', revision },
  );
};

const compareAndAppend = (store: Store, operation: Append): void => {
  const isFree = store.stream.length === operation.expected + 1;
  settled(operation, isFree ? store.stream.push(operation.id) - 1 : undefined);
};

const correct: Variant = {
  append: (store, operation) => [
    () => {
      compareAndAppend(store, operation);
    },
  ],
  length: ({ stream }) => stream.length,
};

/** Looks, and writes later without looking again. */
const checkThenInsert: Variant = {
  ...correct,
  append: (store, operation) => {
    let isFree = false;
    return [
      () => {
        isFree = store.stream.length === operation.expected + 1;
      },
      () => {
        settled(operation, isFree ? store.stream.push(operation.id) - 1 : undefined);
      },
    ];
  },
};

/** Answers reads from a copy that is taken every now and then. */
const cachedReads = (): Variant => {
  let copy = 0;
  let reads = 0;
  return {
    ...correct,
    length: ({ stream }) => {
      if (reads++ % 10 === 0) copy = stream.length;
      return copy;
    },
  };
};

/** Acknowledges, and commits after the acknowledgement: `later` holds what is not committed yet. */
const acknowledgedBeforeCommit = (): Variant => {
  const pending: string[] = [];
  return {
    append: (store, operation) => [
      () => {
        const next = store.stream.length + pending.length;
        const isFree = next === operation.expected + 1;
        if (isFree) pending.push(operation.id);
        settled(operation, isFree ? next : undefined);
        if (pending.length > 3) store.stream.push(...pending.splice(0));
      },
    ],
    length: ({ stream }) => stream.length,
  };
};

/** Runs many clients against a variant in one interleaving that the seed chooses. */
const historyOf = (variant: Variant, seed: number, steps = 400) => {
  const random = randomFrom(seed);
  const store: Store = { stream: [] };
  const operations: Operation[] = [];
  const clients: (() => void)[][] = Array.from({ length: 6 }, () => []);
  let now = 0;
  const begin = (known: number): (() => void)[] => {
    const invokedAt = ++now;
    if (random() < 0.4) {
      const read: Read = { kind: 'read', invokedAt, completedAt: Infinity, length: 0 };
      const look = (): void => {
        Object.assign(read, { length: variant.length(store) });
      };
      const end = (): void => {
        Object.assign(read, { completedAt: ++now });
        operations.push(read);
      };
      return [look, end];
    }
    const operation: Append = {
      kind: 'append',
      id: `event-${now}`,
      expected: known - 1,
      outcome: 'unknown',
      invokedAt,
      completedAt: Infinity,
    };
    operations.push(operation);
    const end = (): void => {
      Object.assign(operation, { completedAt: ++now });
    };
    return [...variant.append(store, operation), end];
  };
  for (let step = 0; step < steps; step += 1) {
    const client = clients[Math.floor(random() * clients.length)]!;
    if (client.length === 0) client.push(...begin(store.stream.length));
    else client.shift()?.();
  }
  const isOver = (operation: Operation) => operation.completedAt !== Infinity;
  const kept = operations.map((operation) =>
    operation.kind === 'append' && !isOver(operation)
      ? { ...operation, outcome: 'unknown' as const }
      : operation,
  );
  return { operations: kept, stream: store.stream };
};

const SEEDS = Array.from({ length: 50 }, (_, seed) => seed);

const found = (variantOf: () => Variant): number =>
  SEEDS.filter((seed) => {
    const { operations, stream } = historyOf(variantOf(), seed);
    return historyFlaws(operations, stream).length > 0;
  }).length;

test('a correct store passes', async (t) => {
  t.equal(
    found(() => correct),
    0,
    `${SEEDS.length} histories`,
  );
});

test('check-then-insert is caught', async (t) => {
  t.ok(found(() => checkThenInsert) > SEEDS.length * 0.9);
});

test('reads from a cache are caught', async (t) => {
  t.ok(found(cachedReads) > SEEDS.length * 0.9);
});

test('acknowledged before the commit is caught', async (t) => {
  t.ok(found(acknowledgedBeforeCommit) > SEEDS.length * 0.9);
});

test('what is lost, doubled, invented or refused without reason is caught', async (t) => {
  const base = { kind: 'append', invokedAt: 1, completedAt: 2 } as const;
  const first: Append = { ...base, id: 'a', expected: -1, outcome: 'ok', revision: 0 };
  t.strictSame(historyFlaws([first], ['a']), []);
  t.match(historyFlaws([first], []), [/a is at no place/]);
  t.match(historyFlaws([first], ['a', 'a']), [/twice/]);
  t.match(historyFlaws([first], ['a', 'b']), [/nobody/]);
  const refused: Append = { ...base, id: 'r', expected: -1, outcome: 'conflict' };
  t.match(historyFlaws([{ ...refused, completedAt: 1.5 }], []), [], 'nothing to compare with');
  const late: Append = { ...first, id: 'b', invokedAt: 5, completedAt: 6 };
  t.match(historyFlaws([refused, late], ['b']), [/r was refused/], 'the stream was still empty');
  const lost: Append = { ...base, id: 'u', expected: -1, outcome: 'unknown' };
  t.strictSame(historyFlaws([{ ...lost, completedAt: Infinity }], []), [], 'unknown, not there');
  t.strictSame(historyFlaws([{ ...lost, completedAt: Infinity }], ['u']), [], 'unknown, there');
});

type Small = Readonly<{ operations: readonly Operation[]; stream: readonly string[] }>;

/** Tries every order (Wing and Gong), for histories of few operations. */
const isLinearizable = ({ operations, stream }: Small): boolean => {
  const fits = (operation: Operation, length: number): number | undefined => {
    if (operation.kind === 'read') return operation.length === length ? length : undefined;
    const { id, expected, outcome } = operation;
    if (outcome === 'conflict') return expected === length - 1 ? undefined : length;
    return expected === length - 1 && stream[length] === id ? length + 1 : undefined;
  };
  const search = (left: readonly Operation[], length: number): boolean => {
    const isDone = left.every((one) => one.kind === 'append' && one.outcome === 'unknown');
    if (isDone && length === stream.length) return true;
    const firstEnd = Math.min(...left.map(({ completedAt }) => completedAt));
    return left.some((operation) => {
      if (operation.invokedAt > firstEnd) return false;
      const next = fits(operation, length);
      if (next === undefined) return false;
      const isRight =
        operation.kind === 'read' || operation.outcome !== 'ok' || operation.revision === length;
      return (
        isRight &&
        search(
          left.filter((one) => one !== operation),
          next,
        )
      );
    });
  };
  return search(operations, 0);
};

const smallHistory = (random: () => number): Small => {
  const count = 1 + Math.floor(random() * 4);
  const pick = (below: number) => Math.floor(random() * below);
  const instants = Array.from({ length: 2 * count }, (_, nth) => nth).sort(() => random() - 0.5);
  const stream = ['a', 'b', 'c'].slice(0, pick(4));
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const operations = Array.from({ length: count }, (_, nth): Operation => {
    const pair = [instants[2 * nth]!, instants[2 * nth + 1]!].sort((a, b) => a - b);
    const [invokedAt = 0, completedAt = 0] = pair;
    if (random() < 0.3) return { kind: 'read', invokedAt, completedAt, length: pick(4) };
    const expected = Math.max(-1, nth - 1 - (random() < 0.2 ? 1 : 0));
    const base = { kind: 'append', id: ids[nth]!, expected, invokedAt } as const;
    const kind = random();
    if (kind < 0.6) return { ...base, completedAt, outcome: 'ok', revision: expected + 1 };
    if (kind < 0.8) return { ...base, completedAt, outcome: 'conflict', id: `r${nth}` };
    return { ...base, completedAt: Infinity, outcome: 'unknown' };
  });
  return { operations, stream };
};

test('agrees with an exhaustive search on small histories', async (t) => {
  const random = randomFrom(42);
  let legal = 0;
  let disagreements = 0;
  for (let nth = 0; nth < 20_000; nth += 1) {
    const history = smallHistory(random);
    const isLegal = isLinearizable(history);
    if (isLegal) legal += 1;
    const isPassed = historyFlaws(history.operations, history.stream).length === 0;
    const conflicts = history.operations.filter(
      (one) => one.kind === 'append' && one.outcome === 'conflict',
    );
    const isMissed = isPassed && !isLegal && conflicts.length < 2;
    if ((isLegal && !isPassed) || isMissed) disagreements += 1;
  }
  t.equal(disagreements, 0);
  t.ok(legal > 1_000, `${legal} of 20000 are legal`);
});
