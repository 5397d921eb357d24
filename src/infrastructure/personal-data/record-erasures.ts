import { appendEvents } from '../../commands/append-events.js';
import { type EventStore } from '../../commands/event-store.js';
import { type SubjectErased } from '../../domain/personal/events.js';
import { type Position } from '../../domain/position.js';
import { subjectStream } from '../../domain/streams.js';
import { type ErasureTable, type PendingErasure } from './erasure-table.js';

/** The event comes once, whoever is first: a subject's stream has no other of ours. @returns its position */
const record = async (
  store: EventStore,
  { organizationId, subjectId, metadata }: PendingErasure,
): Promise<Position> => {
  const stream = subjectStream(organizationId, subjectId);
  const event: SubjectErased = { type: 'SubjectErased', data: { subjectId } };
  const { events, revision: expectedRevision } = await store.read(stream);
  if (events[0] !== undefined) return events[0].position;
  return (await appendEvents(store, { stream, events: [event], expectedRevision, metadata }))
    .position;
};

/** Tells the log of every erasure that it does not know yet; the keys are gone already. Safe to repeat. */
export const recordErasures =
  (store: EventStore, table: ErasureTable) => async (): Promise<void> => {
    for (const erasure of await table.pending())
      await table.recorded(erasure.subjectId, await record(store, erasure));
    await table.clearLookups();
  };
