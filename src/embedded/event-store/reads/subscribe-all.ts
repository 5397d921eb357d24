import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventLog } from '../log/log.js';
import { type Entry } from '../storage/reader.js';
import { CAUGHT_UP, encodeCheckpoint, encodeConfirmation } from '../wire/replies.js';
import { messageOf, type Outlet } from './outlet.js';
import { type Filter, type ReadPlan } from './plan.js';
import { checkPosition, walkAllFrom } from './walk.js';

/** Exclusive; a position beyond the log counts as its end. */
const startAfter = (log: EventLog, { start }: ReadPlan): number => {
  const head = log.reader.head();
  if (start === 'start') return 0;
  return start === 'end' ? head : Math.min(start, head);
};

/**
 * The checkpoints of a filtered subscription, as a real server sends them. While catching up it names the last
 * match of a window or, when nothing in it matched, its first event with a prepare position of 0; live, the
 * event just considered. A window that catching up leaves unfinished has none.
 */
const checkpointer = ({ window, interval }: Filter) => {
  let considered = 0;
  let first = 0;
  let lastMatch: number | undefined;
  let isLive = false;

  const consider = (position: number, isMatch: boolean): void => {
    if (considered % window === 0) {
      first = position;
      lastMatch = undefined;
    }
    if (isMatch) lastMatch = position;
    considered++;
  };

  const checkpointAt = (position: number): Buffer => {
    if (isLive) return encodeCheckpoint(position);
    return lastMatch === undefined ? encodeCheckpoint(first, 0) : encodeCheckpoint(lastMatch);
  };

  return {
    /** The checkpoint that is due after this event, if one is. */
    after: (position: number, isMatch: boolean): Buffer | undefined => {
      consider(position, isMatch);
      return considered % (window * interval) === 0 ? checkpointAt(position) : undefined;
    },
    goLive: () => {
      isLive = true;
      considered = 0;
    },
  };
};

const EVERYTHING: Filter = { matches: () => true, window: Infinity, interval: 1 };

/**
 * Sends all of `$all` that the filter lets through, then waits for more. The log itself is the buffer:
 * a slow reader costs one page of memory, and what it has not read is read again from the log.
 * @throws CallError for a position where no event begins
 */
export const subscribeToAll = async (
  log: EventLog,
  plan: ReadPlan,
  outlet: Outlet,
): Promise<void> => {
  checkPosition(log, plan);
  const filter = plan.filter ?? EVERYTHING;
  const checkpoints = checkpointer(filter);
  const walk = walkAllFrom(log, startAfter(log, plan) + 1, plan.filter !== undefined);
  const phase = { isLive: false };

  const sendPage = async (page: readonly Entry[]): Promise<void> => {
    for (const entry of page) {
      if (!outlet.isOpen()) return;
      const isMatch = filter.matches(entry);
      if (isMatch) await outlet.write(messageOf(log, entry, plan.resolvesLinks));
      const checkpoint = checkpoints.after(entry.position, isMatch);
      if (checkpoint) await outlet.write(checkpoint);
    }
  };

  const goLive = async (): Promise<void> => {
    phase.isLive = true;
    checkpoints.goLive();
    await outlet.write(CAUGHT_UP);
  };

  const forget = log.onCommit(outlet.wake);
  try {
    await outlet.write(encodeConfirmation(randomUUID()));
    while (outlet.isOpen()) {
      const page = walk(Infinity);
      await sendPage(page);
      if (page.length > 0) await nextTurn();
      else if (phase.isLive) await outlet.wait();
      else await goLive();
    }
  } finally {
    forget();
  }
};
