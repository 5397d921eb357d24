import { randomUUID } from 'node:crypto';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { type EventLog } from '../log/log.js';
import { isReadable, oldestRevision } from '../log/readable.js';
import { isTombstoned } from '../log/stream-states.js';
import { streamDeleted } from '../wire/errors.js';
import { TOMBSTONE_REVISION } from '../wire/frame.js';
import { CAUGHT_UP, encodeConfirmation } from '../wire/replies.js';
import { messageOf, type Outlet } from './outlet.js';
import { type ReadPlan } from './plan.js';

const PAGE = 256;

type StreamPlan = ReadPlan & Readonly<{ stream: string }>;

/** Waits until there is something to read; from the end there is nothing to wait for. */
const untilReadable = async (log: EventLog, plan: StreamPlan, outlet: Outlet): Promise<void> => {
  const { stream, start } = plan;
  while (start !== 'end' && outlet.isOpen() && !isReadable(log.states, log.states.get(stream))) {
    if (isTombstoned(log.states, log.states.get(stream))) throw streamDeleted(stream);
    await outlet.wait();
  }
};

/** Exclusive; what metadata hides from reads is skipped too. */
const firstRevision = (log: EventLog, { stream, start }: StreamPlan): number => {
  const state = log.states.get(stream);
  if (start === 'end') return state.last + 1;
  return Math.max(start === 'start' ? 0 : start + 1, oldestRevision(log.reader, state));
};

/**
 * Sends a stream's events, then waits for more. A stream that does not exist (yet) is waited for and says
 * `caught up` only then. Once live, every event is delivered, also those that metadata hides.
 * @throws CallError `stream-deleted`, after the `$streamDeleted` event has been sent
 */
export const subscribeToStream = async (
  log: EventLog,
  plan: StreamPlan,
  outlet: Outlet,
): Promise<void> => {
  const { stream, start } = plan;
  if (start !== 'end' && isTombstoned(log.states, log.states.get(stream)))
    throw streamDeleted(stream);

  /** Sends what follows, a page at a time; returns the revision to go on at. */
  const send = async (from: number): Promise<number> => {
    const { key, last } = log.states.get(stream);
    let next = from;
    for (const entry of last < from ? [] : log.reader.inStream(key, from, last, PAGE)) {
      if (!outlet.isOpen()) break;
      await outlet.write(messageOf(log, entry, plan.resolvesLinks));
      if (entry.revision === TOMBSTONE_REVISION) throw streamDeleted(stream);
      next = entry.revision + 1;
    }
    if (next > from) await nextTurn();
    return next;
  };

  const forget = log.onCommit(outlet.wake);
  try {
    await outlet.write(encodeConfirmation(randomUUID()));
    await untilReadable(log, plan, outlet);
    let next = firstRevision(log, plan);
    for (let from = -1; from < next && outlet.isOpen();) [from, next] = [next, await send(next)];
    if (outlet.isOpen()) await outlet.write(CAUGHT_UP);
    while (outlet.isOpen()) {
      const from = next;
      next = await send(from);
      if (next === from) await outlet.wait();
    }
  } finally {
    forget();
  }
};
