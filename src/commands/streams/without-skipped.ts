import { isKnownType } from '../../domain/catalogue.js';
import { DomainError, type Event } from '../../domain/decider.js';
import { type Recorded } from '../../domain/recorded.js';
import {
  NOTHING_SKIPPED,
  placesOf,
  SKIPPED_EVENTS_STREAM,
  skippedBy,
  skippedEvents,
} from '../../domain/skipped-events.js';
import { type EventStore, NO_STREAM, wholeStream } from './event-store.js';

/** How old what is known of skipped events may be when a stream is read. */
const MAX_AGE_MS = 1_000;

/** What cannot be folded cannot be decided on. @throws DomainError `stream-parked` */
const requireKnown = <Page extends Readonly<{ events: readonly Recorded[] }>>(page: Page): Page => {
  const unknown = page.events.find(({ type }) => !isKnownType(type));
  if (unknown === undefined) return page;
  const { stream, revision, type } = unknown;
  throw new DomainError(
    'stream-parked',
    `Event ${revision} of ${stream} is a ${type}, which this version of the service does not know. Run a version that knows it, or have an operator skip it with \`npm run projections -- skip\`.`,
  );
};

/**
 * An event store whose streams are read without the events that an operator said are skipped, as if others had written
 * them. What is said later is known a second after the next read or append; `onSkipped` is told then.
 */
export const withoutSkipped = (store: EventStore, clock: () => number) => {
  const listeners = new Set<() => void>();
  let skipped = NOTHING_SKIPPED;
  let revision = NO_STREAM;
  let lookedAtMs = -Infinity;
  let looking: Promise<void> | undefined;

  const look = async (): Promise<void> => {
    const beganAtMs = clock();
    const said = await store.read(SKIPPED_EVENTS_STREAM, revision + 1);
    const more = said.events.flatMap((event) => skippedBy(event) ?? []);
    revision = said.revision;
    lookedAtMs = beganAtMs;
    if (more.length === 0) return;
    skipped = skippedEvents([...placesOf(skipped), ...more]);
    for (const listener of listeners) listener();
  };
  const lookAgain = async (): Promise<void> => {
    if (clock() - lookedAtMs < MAX_AGE_MS) return;
    looking ??= look().finally(() => {
      looking = undefined;
    });
    await looking;
  };

  const readPage = async <E extends Event>(stream: string, fromRevision: number) => {
    const [page] = await Promise.all([store.readPage<E>(stream, fromRevision), lookAgain()]);
    const revisions = skipped.get(stream);
    if (revisions === undefined) return requireKnown(page);
    const events = page.events.filter((event) => !revisions.has(event.revision));
    return requireKnown({ ...page, events, skipped: revisions.size });
  };

  const passing: EventStore = {
    readPage,
    read: <E extends Event>(stream: string, fromRevision?: number) =>
      wholeStream<E>({ readPage }, stream, fromRevision),
    append: async (...asked) => {
      const appended = await store.append(...asked);
      void lookAgain().catch(() => undefined);
      return appended;
    },
  };
  return {
    store: passing,
    onSkipped: (listener: () => void): void => {
      listeners.add(listener);
    },
  };
};
