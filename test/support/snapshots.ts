import { type StreamSnapshot } from '../../src/commands/streams/snapshots.js';
import { type SnapshotTable } from '../../src/commands/streams/take-snapshots.js';

type Kept = StreamSnapshot<unknown>;

/** Snapshots in memory, as JSON would bring them back. `kept`: by stream. */
export const memorySnapshots = () => {
  const kept = new Map<string, Kept>();
  const table: SnapshotTable = {
    load: async <S>(stream: string) => kept.get(stream) as StreamSnapshot<S> | undefined,
    save: async (stream, { state, ...place }) => {
      kept.set(stream, { ...place, state: JSON.parse(JSON.stringify(state)) as unknown });
    },
  };
  return { kept, table };
};
