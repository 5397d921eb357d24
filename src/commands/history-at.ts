import { DomainError, type Event } from '../domain/decider.js';
import { type Position } from '../domain/position.js';
import { type Recorded } from '../domain/recorded.js';

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
export const historyAt = <E extends Event>(
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
