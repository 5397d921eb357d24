import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLog } from '../log/log.js';
import type { Entry } from '../storage/reader.js';
import { CAUGHT_UP, encodeCheckpoint, encodeConfirmation } from '../wire/replies.js';
import type { Filter } from './filter.js';
import { messageOf } from './links.js';
import type { Outlet } from './outlet.js';
import type { ReadPlan } from './plan.js';
import { walkAllFrom } from './walk.js';

const EVERYTHING: Filter = { matches: () => true, checkpointEvery: Infinity };

/** Exclusive; a position beyond the log counts as its end. */
const startAfter = (log: EventLog, { start }: ReadPlan): number => {
  const head = log.reader.head();
  if (start === 'start') return 0;
  return start === 'end' ? head : Math.min(start, head);
};

/**
 * Sends all of `$all` that the filter lets through, then waits for more. The log itself is the buffer:
 * a slow reader costs one page of memory, and what it has not read is read again from the log.
 */
export const subscribeToAll = async (
  log: EventLog,
  plan: ReadPlan,
  outlet: Outlet,
): Promise<void> => {
  const filter = plan.filter ?? EVERYTHING;
  let cursor = startAfter(log, plan);
  let considered = 0;
  const phase = { isLive: false };
  const walk = walkAllFrom(log, cursor + 1, plan.filter !== undefined);

  const sendPage = async (page: readonly Entry[]): Promise<void> => {
    for (const entry of page) {
      if (!outlet.isOpen()) return;
      if (filter.matches(entry)) await outlet.write(messageOf(log, entry, plan.resolvesLinks));
      cursor = entry.position;
      if (++considered % filter.checkpointEvery === 0) await outlet.write(encodeCheckpoint(cursor));
    }
  };

  const goLive = async (): Promise<void> => {
    phase.isLive = true;
    const isJustSent = considered > 0 && considered % filter.checkpointEvery === 0;
    if (plan.filter && !isJustSent) await outlet.write(encodeCheckpoint(cursor));
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
