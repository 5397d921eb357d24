import { appendEvents } from '../../commands/append-events.js';
import { type EventStore, NO_STREAM, WrongRevision } from '../../commands/event-store.js';
import { type SubjectErased } from '../../domain/personal/events.js';
import { subjectStream } from '../../domain/streams.js';
import { type ErasureTable, type PendingErasure } from './erasure-table.js';

/** The event comes once, whoever is first: a subject's stream has no other. @returns its position */
const record = async (
  store: EventStore,
  { organizationId, subjectId, metadata }: PendingErasure,
): Promise<number> => {
  const stream = subjectStream(organizationId, subjectId);
  const event: SubjectErased = { type: 'SubjectErased', data: { subjectId } };
  try {
    const to = { stream, events: [event], expectedRevision: NO_STREAM, metadata };
    return (await appendEvents(store, to)).position;
  } catch (error) {
    if (!(error instanceof WrongRevision)) throw error;
    const { events } = await store.read(stream);
    return events[0]?.position ?? -1;
  }
};

/** Tells the log of every erasure that it does not know yet; the keys are gone already. Safe to repeat. */
export const recordErasures =
  (store: EventStore, table: ErasureTable) => async (): Promise<void> => {
    for (const erasure of await table.pending())
      await table.recorded(erasure.subjectId, await record(store, erasure));
    await table.clearLookups();
  };
