import type { EventLog } from '../log/log.js';
import type { Entry } from '../storage/reader.js';
import { oldestRevision } from './readable.js';
import type { ReadPlan } from './plan.js';

/** Goes through the log a page at a time. A page is empty at the end; later it may not be. */
export type Walk = (limit: number) => readonly Entry[];

const PAGE = 256;

const pageSize = (limit: number): number => Math.min(PAGE, limit);

/** Forwards over `$all`, beginning after `position`; frames come along unless a filter will drop most. */
export const walkAllAfter = (log: EventLog, position: number, isFiltered: boolean): Walk => {
  let cursor = position;
  return (limit) => {
    if (cursor >= log.reader.head()) return [];
    const page = isFiltered
      ? log.reader.scanAfter(cursor, PAGE)
      : log.reader.after(cursor, pageSize(limit));
    cursor = page.at(-1)?.position ?? cursor;
    return page;
  };
};

/** Backwards over `$all`, beginning before `position`. */
export const walkAllBefore = (log: EventLog, position: number, isFiltered: boolean): Walk => {
  let cursor = position;
  return (limit) => {
    const page = log.reader.scanBefore(cursor, isFiltered ? PAGE : pageSize(limit));
    cursor = page.at(-1)?.position ?? cursor;
    return page;
  };
};

/** Forwards over what metadata leaves readable of a stream, up to its last event now. */
const walkStreamForwards = (log: EventLog, name: string, from: number): Walk => {
  const state = log.states.get(name);
  const { key, last } = state;
  let next = Math.max(from, oldestRevision(log, state));
  return (limit) => {
    if (next > last) return [];
    const page = log.reader.inStream(key, next, last, pageSize(limit));
    next = (page.at(-1)?.revision ?? last) + 1;
    return page;
  };
};

const walkStreamBackwards = (log: EventLog, name: string, from: number): Walk => {
  const state = log.states.get(name);
  const oldest = oldestRevision(log, state);
  let next = Math.min(from, state.last);
  return (limit) => {
    if (next < oldest) return [];
    const page = log.reader.inStream(state.key, next, oldest, pageSize(limit));
    next = (page.at(-1)?.revision ?? 0) - 1;
    return page;
  };
};

const allWalk = (log: EventLog, { start, isBackwards, filter }: ReadPlan): Walk => {
  const head = log.reader.head();
  const isFiltered = filter !== undefined;
  if (isBackwards) {
    const before = { start: 0, end: head + 1 };
    return walkAllBefore(log, typeof start === 'number' ? start : before[start], isFiltered);
  }
  const after = { start: 0, end: head };
  return walkAllAfter(log, typeof start === 'number' ? start - 1 : after[start], isFiltered);
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
