import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { EventLog } from '../log/log.js';
import { TOMBSTONE_REVISION } from '../wire/frame.js';
import { streamDeleted } from '../wire/errors.js';
import { CAUGHT_UP, encodeConfirmation } from '../wire/replies.js';
import { messageOf } from './links.js';
import type { Outlet } from './outlet.js';
import type { ReadPlan } from './plan.js';
import { oldestRevision } from './readable.js';

const PAGE = 256;

/** Exclusive; before it, what metadata hides from reads is skipped too. */
const firstRevision = (log: EventLog, { stream, start }: ReadPlan & { stream: string }): number => {
  const state = log.states.get(stream);
  if (state.last === TOMBSTONE_REVISION) throw streamDeleted(stream);
  if (start === 'end') return state.last + 1;
  return Math.max(start === 'start' ? 0 : start + 1, oldestRevision(log, state));
};

/**
 * Sends a stream's events, then waits for more; a stream that does not exist (yet) is waited for.
 * Once live, every event is delivered, also those that `$maxCount` hides by the time they are read.
 * @throws CallError `stream-deleted`, after the `$streamDeleted` event has been sent
 */
export const subscribeToStream = async (
  log: EventLog,
  plan: ReadPlan & { stream: string },
  outlet: Outlet,
): Promise<void> => {
  let next = firstRevision(log, plan);
  let isLive = false;

  const nextPage = () => {
    const { key, last } = log.states.get(plan.stream);
    return last < next ? [] : log.reader.inStream(key, next, last, PAGE);
  };

  const sendNext = async (): Promise<boolean> => {
    const page = nextPage();
    for (const entry of page) {
      if (!outlet.isOpen()) break;
      await outlet.write(messageOf(log, entry, plan.resolvesLinks));
      if (entry.revision === TOMBSTONE_REVISION) throw streamDeleted(plan.stream);
      next = entry.revision + 1;
    }
    return page.length > 0;
  };

  const forget = log.onCommit(outlet.wake);
  try {
    await outlet.write(encodeConfirmation(randomUUID()));
    while (outlet.isOpen()) {
      if (await sendNext()) await nextTurn();
      else if (isLive) await outlet.wait();
      else {
        isLive = true;
        await outlet.write(CAUGHT_UP);
      }
    }
  } finally {
    forget();
  }
};
