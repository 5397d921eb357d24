import { setTimeout as delay } from 'node:timers/promises';
import { withDeadline } from '../deadline.js';
import { type KeyFile } from './key-file.js';
import { type KeyMemory } from './key-memory.js';
import { type KeyRow, type KeyTable } from './key-table.js';

/** So long a key that was revoked in another process may still work here. */
const POLL_MS = 400;
const POSTGRES_MS = 2_000;
const RECORD_USES_MS = 30_000;

type Log = Readonly<Record<'warn', (details: object, message: string) => void>>;

export type KeySupplyOptions = Readonly<{
  memory: KeyMemory;
  table: KeyTable;
  file: KeyFile;
  log: Log;
  /** Uses of credentials besides these keys since it was last asked: key id → epoch milliseconds. */
  otherUses?: () => ReadonlyMap<string, number>;
  /** Told after every change of the keys. */
  onChange: () => void;
}>;

const inTime = <T>(answer: Promise<T>): Promise<T> =>
  withDeadline(answer, POSTGRES_MS, () => new Error('Postgres did not answer in time.'));

/**
 * Keeps the keys in memory as they are in Postgres; while that is away those that were known go on counting, also
 * after a start, from the file.
 */
export const keySupply = ({
  memory,
  table,
  file,
  log,
  otherUses = () => new Map(),
  onChange,
}: KeySupplyOptions) => {
  const closing = new AbortController();
  let held: string | undefined;
  let refreshing: Promise<void> = Promise.resolve();
  let saving: Promise<void> = Promise.resolve();
  let usesRecordedAt = Date.now();

  const copy = (keys: readonly KeyRow[]): void => {
    saving = saving
      .then(() => file.save(keys))
      .catch((error: unknown) => {
        log.warn({ err: error }, 'application keys could not be copied to disk');
      });
  };

  const refreshNow = async (): Promise<void> => {
    const version = await inTime(table.version());
    if (version === held) return;
    const keys = await inTime(table.valid());
    memory.adopt(keys);
    // Read before the keys: what was committed in between makes the next look load them again.
    held = version;
    onChange();
    copy(keys);
  };

  /** One after the other, so that a look that began earlier never overwrites a later one. */
  const refresh = (): Promise<void> => {
    refreshing = refreshing.catch(() => undefined).then(refreshNow);
    return refreshing;
  };

  const recordUses = async (): Promise<void> => {
    usesRecordedAt = Date.now();
    const uses = new Map([...memory.takeUses(), ...otherUses()]);
    if (uses.size > 0) await inTime(table.recordUses(uses));
  };

  const poll = async (): Promise<void> => {
    for (;;) {
      await delay(POLL_MS, undefined, { signal: closing.signal }).catch(() => undefined);
      if (closing.signal.aborted) return;
      await refresh().catch(() => undefined);
      if (Date.now() - usesRecordedAt > RECORD_USES_MS) await recordUses().catch(() => undefined);
    }
  };

  const fromFile = async (): Promise<void> => {
    const keys = await file.load().catch((error: unknown) => {
      log.warn({ err: error }, 'the copy of application keys is ignored');
      return undefined;
    });
    if (keys !== undefined && held === undefined) memory.adopt(keys);
  };

  let polling: Promise<void> | undefined;
  return {
    start: async (): Promise<void> => {
      await refresh().catch(fromFile);
      polling = poll();
    },

    /** Settles when what was committed before the call counts here; never rejects: the next look will do. */
    refresh: (): Promise<void> => refresh().catch(() => undefined),

    close: async (): Promise<void> => {
      closing.abort();
      await polling;
      await recordUses().catch(() => undefined);
      await saving;
    },
  };
};

export type KeySupply = ReturnType<typeof keySupply>;
