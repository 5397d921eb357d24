import { type StoredEvent } from '../../domain/audit/chain.js';
import { earlier, type Position } from '../../domain/position.js';
import { type WitnessedEvent } from './trail-sources.js';

/** What the log and the read model have at one position: at least one of them something. */
export type Pair = Readonly<{
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
