import { type EventStore } from '../commands/event-store.js';
import { type Histories } from '../commands/flagd/here.js';
import { type FlagEvent } from '../domain/flag/events.js';
import { type SegmentEvent } from '../domain/segment/events.js';
import { flagStream, segmentStream } from '../domain/streams.js';

/** Streams from their beginning, as the log has them; empty for what never was. */
export const historiesOf = (store: EventStore): Histories => ({
  flagHistory: async (projectId, flagKey) =>
    (await store.read<FlagEvent>(flagStream(projectId, flagKey))).events,
  segmentHistory: async (projectId, segmentKey) =>
    (await store.read<SegmentEvent>(segmentStream(projectId, segmentKey))).events,
});
