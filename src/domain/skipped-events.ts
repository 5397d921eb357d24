import { type Event } from './decider.js';
import { operationsStream } from './streams.js';

/** Name of the stream of what is skipped. */
export const SKIPPED_EVENTS = 'skipped-events';

/** Where operators say which events are skipped: in the first organization. */
export const SKIPPED_EVENTS_STREAM = operationsStream('default', SKIPPED_EVENTS);

/** One event, by its place. */
export type EventPlace = Readonly<{ stream: string; revision: number }>;

/** Events that are skipped: stream → revisions. */
export type SkippedEvents = ReadonlyMap<string, ReadonlySet<number>>;

export const NOTHING_SKIPPED: SkippedEvents = new Map();

export const skippedEvents = (places: Iterable<EventPlace>): SkippedEvents => {
  const skipped = new Map<string, Set<number>>();
  for (const { stream, revision } of places)
    skipped.set(stream, (skipped.get(stream) ?? new Set()).add(revision));
  return skipped;
};

export const placesOf = (skipped: SkippedEvents): readonly EventPlace[] =>
  [...skipped].flatMap(([stream, revisions]) =>
    [...revisions].map((revision) => ({ stream, revision })),
  );

/** Which event this one says is skipped; undefined for all other events. Looks at its kind alone, for it may be anyone's. */
export const skippedBy = ({
  type,
  stream: into,
  data,
}: Event & Readonly<{ stream: string }>): EventPlace | undefined => {
  if (type !== 'EventSkipped' || into !== SKIPPED_EVENTS_STREAM) return undefined;
  const { stream, revision } = { ...(data as Readonly<Record<string, unknown>> | undefined) };
  return typeof stream === 'string' && Number.isSafeInteger(revision)
    ? { stream, revision: revision as number }
    : undefined;
};
