import { DomainError, type Event } from '../domain/decider.js';
import { type FlagContent, type FlagEvent, type LiveStatus } from '../domain/flag/events.js';
import {
  absentFlag,
  contentOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../domain/flag/flag.js';
import { type Position } from '../domain/position.js';
import { type Recorded } from '../domain/recorded.js';
import {
  absentSegment,
  evolveSegment,
  type ExistingSegment,
  type Segment,
  type SegmentContent,
  segmentContentOf,
  type SegmentEvent,
} from '../domain/segment.js';
import { NO_STREAM } from './streams/event-store.js';

/** Names a past moment of one stream; without any of them: now, or just before its deletion when it is deleted. */
export type Moment = Readonly<{
  revision?: number;
  /** Log position. */
  position?: Position;
  /** RFC 3339. */
  at?: string;
}>;

type History<E extends Event> = readonly Recorded<E>[];

const isUpTo =
  ({ revision = Infinity, position = Infinity, at }: Moment, atMs: number) =>
  (event: Recorded, recordedAtMs: number): boolean =>
    event.revision <= revision &&
    event.position <= position &&
    (at === undefined || recordedAtMs <= atMs);

/** Events of other applications in the stream have revisions that are none of ours. */
const refuseRevision = (history: History<Event>, { revision }: Moment): void => {
  if (revision === undefined || history.some((event) => event.revision === revision)) return;
  throw new DomainError(
    'revision-not-found',
    `There is no revision ${revision}; the last one is ${history.at(-1)?.revision ?? 'none'}.`,
  );
};

/**
 * The part of a stream that a moment sees.
 * @param toMs turns RFC 3339 into epoch milliseconds
 * @throws DomainError `revision-not-found`
 */
const historyAt = <E extends Event>(
  history: History<E>,
  moment: Moment,
  { toMs, deletion }: Readonly<{ toMs: (time: string) => number; deletion: E['type'] }>,
): History<E> => {
  if (Object.keys(moment).length === 0) {
    return history.at(-1)?.type === deletion ? history.slice(0, -1) : history;
  }
  refuseRevision(history, moment);
  const isSeen = isUpTo(moment, moment.at === undefined ? 0 : toMs(moment.at));
  // A store's clock may have stepped back: an event is never earlier than the one before it.
  let latestMs = 0;
  return history.filter((event) => {
    latestMs = Math.max(latestMs, toMs(event.recordedAt));
    return isSeen(event, latestMs);
  });
};

/** A flag as it was right after one of its revisions. */
export type Snapshot = Readonly<{ flag: ExistingFlag; revision: number }>;

/** What an event that brings a snapshot back carries; a snapshot of a deleted flag is the flag before. */
export const snapshotEventData = ({
  flag,
  revision,
}: Snapshot): { content: FlagContent; status: LiveStatus; fromRevision: number } => ({
  content: contentOf(flag),
  status: flag.status === 'deleted' ? flag.statusBefore : flag.status,
  fromRevision: revision,
});

/**
 * The flag as it was at a moment. `toMs` turns RFC 3339 into epoch milliseconds.
 * @throws DomainError `flag-not-found`, `revision-not-found`, `flag-not-yet-created`
 */
export const snapshotAt = (
  history: readonly Recorded<FlagEvent>[],
  moment: Moment,
  toMs: (time: string) => number,
): Snapshot => {
  if (history.length === 0) throw new DomainError('flag-not-found', 'There is no such flag.');
  const seen = historyAt(history, moment, { toMs, deletion: 'FlagDeleted' });
  const flag = seen.reduce<Flag>(evolveFlag, absentFlag);
  if (flag.status === 'absent') {
    throw new DomainError('flag-not-yet-created', 'The flag did not exist at that moment.');
  }
  return { flag, revision: seen.at(-1)?.revision ?? NO_STREAM };
};

/** A segment as it was right after one of its revisions. */
export type SegmentSnapshot = Readonly<{ segment: ExistingSegment; revision: number }>;

/** What an event that brings a snapshot back carries. */
export const segmentSnapshotData = ({
  segment,
  revision,
}: SegmentSnapshot): { content: SegmentContent; fromRevision: number } => ({
  content: segmentContentOf(segment),
  fromRevision: revision,
});

/**
 * The segment as it was at a moment. `toMs` turns RFC 3339 into epoch milliseconds.
 * @throws DomainError `segment-not-found`, `revision-not-found`, `segment-not-yet-created`
 */
export const segmentSnapshotAt = (
  history: readonly Recorded<SegmentEvent>[],
  moment: Moment,
  toMs: (time: string) => number,
): SegmentSnapshot => {
  if (history.length === 0) throw new DomainError('segment-not-found', 'There is no such segment.');
  const seen = historyAt(history, moment, { toMs, deletion: 'SegmentDeleted' });
  const segment = seen.reduce<Segment>(evolveSegment, absentSegment);
  if (segment.status === 'absent') {
    throw new DomainError('segment-not-yet-created', 'The segment did not exist at that moment.');
  }
  return { segment, revision: seen.at(-1)?.revision ?? NO_STREAM };
};
