import { CHAIN_START, type Link, linkAfter, type StoredEvent } from '../../domain/audit/chain.js';
import { type CheckpointStatement } from '../../domain/audit/checkpoint.js';
import { growingTree, type GrowingTree } from '../../domain/audit/merkle.js';
import { earlier, type Position, positionInJson } from '../../domain/position.js';
import { findings, isSameEvent, NOTHING, sum, type Tally } from './findings.js';
import { type WitnessedEvent } from './witness.js';

/** What the log and the read model have at one position: at least one of them something. */
type Pair = Readonly<{
  logged: StoredEvent | undefined;
  witnessed: WitnessedEvent | undefined;
}>;

/** The next of a sequence is known before it is taken. */
const peeked = async <T extends Readonly<{ position: Position }>>(from: AsyncIterable<T>) => {
  const iterator = from[Symbol.asyncIterator]();
  let current: IteratorResult<T, unknown> = await iterator.next();
  return {
    position: (): Position => (current.done === true ? Infinity : current.value.position),
    /** The next one if it is at this position, else undefined. */
    takeAt: async (position: Position): Promise<T | undefined> => {
      if (current.done === true || current.value.position !== position) return undefined;
      const { value } = current;
      current = await iterator.next();
      return value;
    },
    close: async (): Promise<void> => {
      await iterator.return?.();
    },
  };
};

/** Goes through both in order of position, holding one event of each. */
export async function* pairUp(
  log: AsyncIterable<StoredEvent>,
  witness: AsyncIterable<WitnessedEvent>,
): AsyncGenerator<Pair> {
  const [left, right] = [await peeked(log), await peeked(witness)];
  try {
    for (;;) {
      const position = earlier(left.position(), right.position());
      if (position === Infinity) return;
      yield { logged: await left.takeAt(position), witnessed: await right.takeAt(position) };
    }
  } finally {
    await Promise.all([left.close(), right.close()]);
  }
}

/** Statements by a number in them, so that no event has to look at all of them. */
const grouped = (
  statements: readonly CheckpointStatement[],
  by: (statement: CheckpointStatement) => number,
): ReadonlyMap<number, readonly CheckpointStatement[]> => {
  const groups = new Map<number, CheckpointStatement[]>();
  for (const statement of statements)
    groups.set(by(statement), [...(groups.get(by(statement)) ?? []), statement]);
  return groups;
};

/** The checkpoints whose links the read model has exactly as they were signed: head, and the root over the span. */
const witnessedSpans = (checkpoints: readonly CheckpointStatement[]) => {
  const beginning = grouped(checkpoints, ({ from }) => from + 1);
  const growing = new Map<CheckpointStatement, GrowingTree>();
  const authentic = new Set<CheckpointStatement>();
  return {
    add: (sequence: number, hash: string): void => {
      for (const statement of beginning.get(sequence) ?? []) growing.set(statement, growingTree());
      for (const [statement, tree] of growing) {
        tree.add(hash);
        if (sequence < statement.count) continue;
        growing.delete(statement);
        if (hash === statement.head && tree.root() === statement.root) authentic.add(statement);
      }
    },
    isAuthentic: (statement: CheckpointStatement): boolean => authentic.has(statement),
  };
};

/** How the log's own chain, computed anew, stands to a checkpoint. */
export type Reproduction = 'reproduced' | 'different' | 'too-short';

/** What a comparison of one organization's log with its read model and checkpoints has seen. */
export type Compared = Readonly<{
  head: Link;
  /** Position of the last event in the log; -1 without one. */
  position: Position;
  /** Events that the read model does not have yet. */
  unattested: number;
  integrity: Tally;
  completeness: Tally;
  /** Where the read model says other than the log, and a checkpoint shows that the log is right. */
  readModel: Tally;
  reproductionOf: (statement: CheckpointStatement) => Reproduction;
  /** Whether the read model's links are those that were signed. */
  isWitnessAuthentic: (statement: CheckpointStatement) => boolean;
}>;

/** Takes in one organization's events in log order, with a read model at `upTo`; memory does not grow with them. */
export const compareTrail = (
  organization: string,
  checkpoints: readonly CheckpointStatement[],
  upTo: Position,
) => {
  const differences = findings(upTo);
  const spans = witnessedSpans(checkpoints);
  const byCount = grouped(checkpoints, ({ count }) => count);
  const reproductions = new Map<CheckpointStatement, Reproduction>();
  let [log, witness] = [CHAIN_START, CHAIN_START];
  let position: Position = -1;
  let readModel = NOTHING;

  const extendLog = (event: StoredEvent): void => {
    log = linkAfter(log, organization, event);
    position = event.position;
    for (const statement of byCount.get(log.sequence) ?? []) {
      const isSame = statement.head === log.hash && statement.position === positionInJson(position);
      reproductions.set(statement, isSame ? 'reproduced' : 'different');
      if (!isSame) continue;
      const { integrity, completeness } = differences.clear();
      readModel = sum(readModel, integrity, completeness);
    }
  };
  const extendWitness = ({ sequence, hash }: WitnessedEvent): void => {
    witness = { sequence: sequence ?? witness.sequence + 1, hash: hash ?? 'none' };
    spans.add(witness.sequence, witness.hash);
  };
  const isAttested = (event: StoredEvent, { sequence, hash }: WitnessedEvent): boolean => {
    const link = linkAfter(witness, organization, event);
    return link.hash === hash && link.sequence === sequence;
  };

  const compare = (logged?: StoredEvent, witnessed?: WitnessedEvent): void => {
    if (logged && witnessed && isSameEvent(logged, witnessed)) {
      if (!isAttested(logged, witnessed)) differences.altered(witnessed);
      return;
    }
    if (witnessed) differences.strand('witnessed', witnessed);
    if (logged) differences.strand('logged', logged);
  };

  return {
    take: ({ logged, witnessed }: Pair): void => {
      compare(logged, witnessed);
      if (witnessed) extendWitness(witnessed);
      if (logged) extendLog(logged);
    },
    result: (): Compared => ({
      head: log,
      position,
      ...differences.result(),
      readModel,
      reproductionOf: (statement) => reproductions.get(statement) ?? 'too-short',
      isWitnessAuthentic: spans.isAuthentic,
    }),
  };
};
