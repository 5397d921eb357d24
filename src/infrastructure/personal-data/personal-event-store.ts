import { type QueryResultRow } from 'pg';
import {
  type AppendOptions,
  beforeAbort,
  type EventStore,
  type NewEvent,
  wholeStream,
} from '../../commands/streams/event-store.js';
import { type Event } from '../../domain/decider.js';
import { type PersonalText } from '../../domain/personal/person.js';
import { rewriteEvent, rewriteMetadata } from '../../domain/personal/personal-fields.js';
import { type Metadata } from '../../domain/recorded.js';
import { parseStream } from '../../domain/streams.js';
import { type Database, type Question } from '../../queries/database.js';
import { type PersonalData } from './personal-data.js';

const organizationIn = (stream: string): string => parseStream(stream)?.organizationId ?? '';

const personalTexts = (
  to: Readonly<{ stream: string; events: readonly Event[] }>,
  metadata: Metadata,
): readonly PersonalText[] => {
  const found: PersonalText[] = [];
  const note = (personal: PersonalText): string => {
    found.push(personal);
    return personal.text;
  };
  for (const event of to.events) rewriteEvent(event, note);
  rewriteMetadata(to, metadata, note);
  return found;
};

/**
 * An event store to which personal texts go sealed and from which they come opened, so that commands know nothing of it.
 * Both also throw DomainError personal-data-unavailable; an append then wrote nothing.
 */
export const personalEventStore = (store: EventStore, personal: PersonalData): EventStore => {
  const readPage = async <E extends Event>(stream: string, fromRevision: number) => {
    const page = await store.readPage<E>(stream, fromRevision);
    const events = await personal.revealed(organizationIn(stream), page.events);
    return { ...page, events };
  };
  return {
    readPage,
    read: <E extends Event>(stream: string, fromRevision?: number) =>
      wholeStream<E>({ readPage }, stream, fromRevision),
    append: async <E extends Event>(
      stream: string,
      events: readonly NewEvent<E>[],
      options: AppendOptions,
    ) => {
      const texts = personalTexts({ stream, events }, options.metadata);
      if (texts.length === 0) return store.append(stream, events, options);
      const sealing = personal.sealer(organizationIn(stream), texts);
      const seal = await (options.signal ? beforeAbort(options.signal, sealing) : sealing);
      const sealed = events.map((event) => rewriteEvent(event, seal));
      const metadata = rewriteMetadata({ stream, events }, options.metadata, seal);
      return store.append(stream, sealed, { ...options, metadata });
    },
  };
};

/** A database whose rows, where a query says whose they are, come with their personal texts opened. */
export const revealingDatabase = (db: Database, personal: PersonalData): Database => ({
  query: async <R extends QueryResultRow>({ organizationId, ...question }: Question) => {
    const { rows } = await db.query<R>(question);
    if (organizationId === undefined) return { rows };
    return { rows: await personal.revealed(organizationId, rows) };
  },
});
