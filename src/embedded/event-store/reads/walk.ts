import type { EventLog } from '../log/log.js';
import type { Entry } from '../storage/reader.js';
import { oldestRevision } from '../log/readable.js';
import { unreadable, type ReadPlan } from './plan.js';

/** Goes through the log a page at a time. A page is empty at the end; later it may not be. */
export type Walk = (limit: number) => readonly Entry[];

const PAGE = 256;

const pageSize = (limit: number): number => Math.min(PAGE, limit);

/** Forwards over `$all`, beginning with the first event at `position` or behind it. */
export const walkAllFrom = (log: EventLog, position: number, isFiltered: boolean): Walk => {
  let next = log.reader.boundaryFrom(position);
  return (limit) => {
    const page = log.reader.from(next, isFiltered ? PAGE : pageSize(limit));
    const last = page.at(-1);
    if (last) next = last.position + last.frame.length;
    return page;
  };
};

/** Backwards over `$all`, beginning with the last event that begins before `position`. */
const walkAllBefore = (log: EventLog, position: number, isFiltered: boolean): Walk => {
  let cursor = log.reader.boundaryFrom(position);
  return (limit) => {
    const page = log.reader.before(cursor, isFiltered ? PAGE : pageSize(limit));
    cursor = page.at(-1)?.position ?? cursor;
    return page;
  };
};

/** Forwards over what metadata leaves readable of a stream, up to its last event now. */
const walkStreamForwards = (log: EventLog, name: string, from: number): Walk => {
  const state = log.states.get(name);
  const lastAtStart = state.last;
  let next = Math.max(from, oldestRevision(log.reader, state));
  return (limit) => {
    const { key, last } = log.states.get(name); // lower than at the start when a commit has failed since
    const to = Math.min(last, lastAtStart);
    if (next > to) return [];
    const page = log.reader.inStream(key, next, to, pageSize(limit));
    next = (page.at(-1)?.revision ?? to) + 1;
    return page;
  };
};

const walkStreamBackwards = (log: EventLog, name: string, from: number): Walk => {
  const state = log.states.get(name);
  const oldest = oldestRevision(log.reader, state);
  let next = from;
  return (limit) => {
    const { key, last } = log.states.get(name);
    next = Math.min(next, last);
    if (next < oldest) return [];
    const page = log.reader.inStream(key, next, oldest, pageSize(limit));
    next = (page.at(-1)?.revision ?? 0) - 1;
    return page;
  };
};

/** The position of an append without events: see `BEFORE_END` in appender.ts. */
const EMPTY_APPEND_BEFORE = 2;

/**
 * Refuses a position that is neither an event's, nor an empty append's, nor (reading forwards) beyond the end:
 * it is another log's, and going on from it would pass over events or bring them twice.
 */
export const checkPosition = (log: EventLog, { start, isBackwards }: ReadPlan): void => {
  if (typeof start !== 'number') return;
  if (start > log.reader.head() && !isBackwards) return;
  const next = log.reader.boundaryFrom(start);
  if (start !== next && start !== next - EMPTY_APPEND_BEFORE)
    throw unreadable(`No event begins at position ${start}.`);
};

const allWalk = (log: EventLog, plan: ReadPlan): Walk => {
  checkPosition(log, plan);
  const { start, isBackwards, filter } = plan;
  const position = typeof start === 'number' ? start : { start: 0, end: log.reader.end() }[start];
  const walk = isBackwards ? walkAllBefore : walkAllFrom;
  return walk(log, position, filter !== undefined);
};

/** The walk of a plain read: inclusive forwards; `$all` backwards begins before its position. */
export const readWalk = (log: EventLog, plan: ReadPlan): Walk => {
  const { stream, start, isBackwards } = plan;
  if (stream === undefined) return allWalk(log, plan);
  const { last } = log.states.get(stream);
  if (isBackwards) {
    const from = { start: 0, end: last };
    return walkStreamBackwards(log, stream, typeof start === 'number' ? start : from[start]);
  }
  const from = { start: 0, end: last + 1 };
  return walkStreamForwards(log, stream, typeof start === 'number' ? start : from[start]);
};
