import { randomUUID } from 'node:crypto';
import { jsonEvent, type EventStoreDBClient } from '@eventstore/db-client';

/** One event whose append was acknowledged, with everything that must still be so after a crash. */
export type Acknowledged = Readonly<{
  id: string;
  stream: string;
  revision: number;
  data: string;
  /** The position of the append's last event: known for that event only. */
  position: number | undefined;
}>;

/** One event as `$all` has it. */
export type Found = Readonly<{
  id: string;
  stream: string;
  revision: number;
  data: string;
  position: number;
}>;

/** Appends batches of 1 to 3 events to streams of its own until the store goes away. */
export const appendUntilGone = async (
  client: EventStoreDBClient,
  worker: string,
  acknowledge: (events: readonly Acknowledged[]) => void,
): Promise<void> => {
  for (let n = 0; ; n++) {
    const stream = `${worker}-${n % 5}`;
    const batch = Array.from({ length: 1 + (n % 3) }, () => ({
      id: randomUUID(),
      data: { worker, n, text: 'x'.repeat(n % 200) },
    }));
    try {
      const { nextExpectedRevision, position } = await client.appendToStream(
        stream,
        batch.map(({ id, data }) => jsonEvent({ type: 'Loaded', id, data })),
      );
      const last = batch.length - 1;
      acknowledge(
        batch.map(({ id, data }, index) => ({
          id,
          stream,
          revision: Number(nextExpectedRevision) - last + index,
          data: JSON.stringify(data),
          position: index === last ? Number(position?.commit) : undefined,
        })),
      );
    } catch {
      return;
    }
  }
};

/** All events of the load that are in the log, in the order of `$all`. */
export const findAll = async (client: EventStoreDBClient): Promise<Found[]> => {
  const found: Found[] = [];
  for await (const { event } of client.readAll())
    if (event?.type === 'Loaded')
      found.push({
        id: event.id,
        stream: event.streamId,
        revision: Number(event.revision),
        data: JSON.stringify(event.data),
        position: Number(event.position.commit),
      });
  return found;
};

const isAsAcknowledged = (found: Found, { stream, revision, data, position }: Acknowledged) =>
  found.stream === stream &&
  found.revision === revision &&
  found.data === data &&
  (position === undefined || found.position === position);

const orderFlaws = (found: readonly Found[]): string[] => {
  const flaws: string[] = [];
  const next = new Map<string, number>();
  let position = -1;
  for (const event of found) {
    if (event.position <= position) flaws.push(`position ${event.position} is out of order`);
    position = event.position;
    const expected = next.get(event.stream) ?? 0;
    if (event.revision !== expected)
      flaws.push(`${event.stream} has revision ${event.revision} instead of ${expected}`);
    next.set(event.stream, event.revision + 1);
  }
  return flaws;
};

/**
 * Compares what was acknowledged with what is in the log: every acknowledged event is there once, in
 * its place and unchanged; positions increase and revisions have no gaps. Returns what is wrong.
 */
export const flawsOf = (
  acknowledged: readonly Acknowledged[],
  found: readonly Found[],
): readonly string[] => {
  const flaws = orderFlaws(found);
  const byId = new Map<string, Found[]>();
  for (const event of found) byId.set(event.id, [...(byId.get(event.id) ?? []), event]);
  for (const event of acknowledged) {
    const copies = byId.get(event.id) ?? [];
    const [only] = copies;
    if (!only) flaws.push(`${event.id} is lost`);
    else if (copies.length > 1) flaws.push(`${event.id} is there ${copies.length} times`);
    else if (!isAsAcknowledged(only, event)) flaws.push(`${event.id} has changed`);
  }
  return flaws;
};
