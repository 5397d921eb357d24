import { DomainError } from '../../domain/decider.js';
import { type FlagContent, type FlagEvent, type LiveStatus } from '../../domain/flag/events.js';
import {
  absentFlag,
  contentOf,
  evolveFlag,
  type ExistingFlag,
  type Flag,
} from '../../domain/flag/flag.js';
import { type Recorded } from '../../domain/recorded.js';

/** A flag as it was right after one of its revisions. */
export type Snapshot = Readonly<{ flag: ExistingFlag; revision: number }>;

/** Names a past moment of one flag; without any of them: the moment before its deletion. */
export type Moment = Readonly<{
  revision?: number;
  /** Log position. */
  position?: number;
  /** RFC 3339. */
  at?: string;
}>;

/** What an event that brings a snapshot back carries; a snapshot of a deleted flag is the flag before. */
export const snapshotEventData = ({
  flag,
  revision,
}: Snapshot): { content: FlagContent; status: LiveStatus; fromRevision: number } => ({
  content: contentOf(flag),
  status: flag.status === 'deleted' ? flag.statusBefore : flag.status,
  fromRevision: revision,
});

type History = readonly Recorded<FlagEvent>[];

const isUpTo =
  ({ revision = Infinity, position = Infinity, at }: Moment, atMs: number) =>
  (event: Recorded<FlagEvent>, recordedAtMs: number): boolean =>
    event.revision <= revision &&
    event.position <= position &&
    (at === undefined || recordedAtMs <= atMs);

const refuseRevision = (moment: Moment, history: History): void => {
  const last = history.length - 1;
  if (moment.revision !== undefined && moment.revision > last) {
    throw new DomainError(
      'revision-not-found',
      `The flag has revisions 0 to ${last}; there is no revision ${moment.revision}.`,
    );
  }
};

/** The part of the history that a moment sees. `toMs` turns RFC 3339 into epoch milliseconds. */
const upTo = (history: History, moment: Moment, toMs: (time: string) => number): History => {
  if (Object.keys(moment).length === 0) {
    const deletion = history.findLastIndex(({ type }) => type === 'FlagDeleted');
    return deletion < 0 ? history : history.slice(0, deletion);
  }
  refuseRevision(moment, history);
  const isSeen = isUpTo(moment, moment.at === undefined ? 0 : toMs(moment.at));
  // A store's clock may have stepped back: an event is never earlier than the one before it.
  let latestMs = 0;
  return history.filter((event) => {
    latestMs = Math.max(latestMs, toMs(event.recordedAt));
    return isSeen(event, latestMs);
  });
};

/**
 * The flag as it was at a moment.
 * @throws DomainError `flag-not-found`, `revision-not-found`, `flag-not-yet-created`
 */
export const snapshotAt = (
  history: History,
  moment: Moment,
  toMs: (time: string) => number,
): Snapshot => {
  if (history.length === 0) throw new DomainError('flag-not-found', 'There is no such flag.');
  const seen = upTo(history, moment, toMs);
  const flag = seen.reduce<Flag>(evolveFlag, absentFlag);
  if (flag.status === 'absent') {
    throw new DomainError('flag-not-yet-created', 'The flag did not exist at that moment.');
  }
  return { flag, revision: seen.length - 1 };
};
