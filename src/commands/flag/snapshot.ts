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
import { NO_STREAM } from '../event-store.js';
import { historyAt, type Moment } from '../history-at.js';

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
