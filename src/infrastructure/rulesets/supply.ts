import { type Position } from '../../domain/position.js';
import { type CurrentStates } from '../../queries/evaluation/current-states.js';
import { currentRulesets } from '../../queries/evaluation/rulesets-at.js';
import { type RulesetMemory, type RulesetSource } from '../../queries/evaluation/ruleset-memory.js';
import { pause, repeat, withDeadline } from '../waiting.js';
import { type FeedLog, type RedisRulesetFeed } from '../redis/ruleset-feed.js';
import { type DiskCopy, type RulesetDiskCopy } from './disk-copy.js';

export type RulesetSupplyOptions = Readonly<{
  memory: RulesetMemory;
  feed: RedisRulesetFeed;
  loadCurrentStates: () => Promise<CurrentStates>;
  /** The position of the last event in the read model; -1 without any. */
  lastEvent: () => Promise<Position>;
  /** Whether the read model has ever held all of the log. */
  hasCaughtUp: () => Promise<boolean>;
  diskCopy: RulesetDiskCopy;
  log: FeedLog;
}>;

/** For `/ready`: what this process evaluates with, and whether that is known to be current. */
export type RulesetStatus = Readonly<{
  source: RulesetSource | 'none';
  /** True while the rulesets follow Redis. */
  isConnected: boolean;
  isDegraded: boolean;
  position: Position | null;
  /** Milliseconds since they were last known to be current; null when never. */
  ageMs: number | null;
}>;

const POLL_MS = 1_000;
/** While a new read model catches up. */
const NEW_POLL_MS = 50;
/** How many looks in a row may find that rulesets lack what the read model had at the look before. */
const LATE_LOOKS = 2;
const POSTGRES_MS = 5_000;
const SAVE_AFTER_MS = 1_000;

const inTime = <T>(answer: Promise<T>): Promise<T> =>
  withDeadline(answer, POSTGRES_MS, () => new Error('Postgres did not answer in time.'));

const completely = (
  environments: ReturnType<typeof currentRulesets>,
): Parameters<RulesetMemory['publish']>[0]['environments'] =>
  new Map([...environments].map(([id, contents]) => [id, { isComplete: true, ...contents }]));

/**
 * Sees to it that there are rulesets: from Redis; while Redis is away, lacks something or is behind the read model, from
 * Postgres, asked again each second; with that away too from the last copy on disk. Writes that copy a while after changes.
 */
export const rulesetSupply = (options: RulesetSupplyOptions) => {
  const { memory, feed, diskCopy, log } = options;
  const closing = new AbortController();
  let confirmedAt: number | undefined;
  let saving: Promise<void> | undefined;
  let isUnsaved = false;
  /** Everything came anew, as it does when somebody was erased: older copies may say who that was. */
  let isRenewed = false;

  const fromPostgres = async (): Promise<void> => {
    const last = await inTime(options.lastEvent());
    if (last < 0) return;
    if (last > (memory.current()?.position ?? -1)) {
      const states = await inTime(options.loadCurrentStates());
      if (closing.signal.aborted || states.applied === null) return;
      const environments = completely(currentRulesets(states));
      // Not where the read model stands: past events of others, where Redis never comes.
      const update = { source: 'postgres', position: states.applied, isComplete: true } as const;
      if (!memory.publish({ ...update, environments })) return;
      log.info({ position: states.applied }, 'rulesets taken from Postgres');
    }
    confirmedAt = Date.now();
  };

  const adopt = ({ position, writtenAt, environments }: DiskCopy): void => {
    const update = { source: 'disk', position, isComplete: true } as const;
    if (!memory.publish({ ...update, environments: completely(environments) })) return;
    confirmedAt = writtenAt;
    log.warn({ position, writtenAt }, 'rulesets taken from the copy on disk');
  };

  const tryPostgres = (): Promise<void> =>
    fromPostgres().catch((error: unknown) => {
      if (memory.current() === undefined) log.warn({ err: error }, 'no rulesets from Postgres');
    });

  let expected: Position = -1;
  let lateLooks = 0;
  /**
   * Following Redis is not enough: one that takes reads and refuses writes stands still. What the read model had a
   * moment ago must be here now.
   */
  const isLate = async (): Promise<boolean> => {
    lateLooks = (memory.current()?.position ?? -1) < expected ? lateLooks + 1 : 0;
    // Without Postgres nothing is known to be missing.
    expected = await inTime(options.lastEvent()).catch(() => -1);
    return lateLooks >= LATE_LOOKS;
  };

  const look = async (): Promise<void> => {
    if (feed.isCurrent()) {
      if (!(await isLate())) return;
      log.warn(
        { position: memory.current()?.position, expected },
        'Redis is behind the read model',
      );
      feed.reconnect();
    }
    await tryPostgres();
  };

  /** With Postgres away Redis is followed: evaluation does not need Postgres. */
  const isNew = async (): Promise<boolean> =>
    !(await inTime(options.hasCaughtUp()).catch(() => true));

  /**
   * While the read model catches up for the first time, it and the snapshot in Redis may lack any flag. Then the read
   * model comes first: the snapshot may still be behind it.
   */
  const followCaughtUp = async (): Promise<void> => {
    const isOver = (): boolean => closing.signal.aborted;
    while (!isOver() && (await isNew())) await pause(NEW_POLL_MS, closing);
    if (!isOver()) await tryPostgres();
    if (!isOver()) await feed.start();
  };

  const keepLooking = (): Promise<void> =>
    repeat(look, { everyMs: POLL_MS, signal: closing.signal, first: 'after a pause' });

  const save = async (): Promise<void> => {
    while (isUnsaved) {
      await pause(SAVE_AFTER_MS, closing);
      isUnsaved = false;
      const keepsPrevious = !isRenewed;
      isRenewed = false;
      const rulesets = memory.current();
      if (rulesets?.source === 'disk' || rulesets === undefined) continue;
      await diskCopy.save(rulesets, { keepsPrevious }).catch((error: unknown) => {
        isRenewed ||= !keepsPrevious;
        log.warn({ err: error }, 'rulesets could not be copied to disk');
      });
    }
    saving = undefined;
  };
  const saveSoon = (isComplete: boolean): void => {
    isRenewed ||= isComplete;
    isUnsaved = true;
    saving ??= save();
  };

  const tryDisk = async (): Promise<void> => {
    const copy = await diskCopy.load();
    if (copy !== undefined && memory.current() === undefined) adopt(copy);
  };

  let polling: Promise<void> | undefined;
  const unsubscribe = memory.subscribe((_rulesets, _touched, isComplete) => {
    saveSoon(isComplete);
  });
  return {
    /** Settles when there are rulesets, or no source has any; goes on looking in either case. */
    start: async (): Promise<void> => {
      await diskCopy.sweep();
      const waits = await isNew();
      if (!waits) await feed.start();
      if (!waits && memory.current() === undefined) await tryPostgres();
      if (memory.current() === undefined) await tryDisk();
      polling = waits ? followCaughtUp().then(keepLooking) : keepLooking();
    },

    status: (): RulesetStatus => {
      const rulesets = memory.current();
      const at = Math.max(confirmedAt ?? 0, feed.confirmedAt() ?? 0);
      return {
        source: rulesets?.source ?? 'none',
        isConnected: feed.isCurrent(),
        isDegraded: !feed.isCurrent(),
        position: rulesets?.position ?? null,
        ageMs: at === 0 ? null : Date.now() - at,
      };
    },

    close: async (): Promise<void> => {
      closing.abort();
      unsubscribe();
      await Promise.all([feed.close(), polling, saving]);
    },
  };
};

export type RulesetSupply = ReturnType<typeof rulesetSupply>;
