import { randomUUID } from 'node:crypto';
import { binaryEvent, type EventStoreDBClient, jsonEvent } from '@eventstore/db-client';
import { test, type Test } from 'tap';
import { type Event } from '../../src/domain/decider.js';
import { kurrentEventLog } from '../../src/infrastructure/kurrent/event-log.js';
import { kurrentEventStore } from '../../src/infrastructure/kurrent/event-store.js';
import { type LogEvent } from '../../src/projections/event-log.js';
import { foldEvents } from '../../src/projections/fold/fold.js';
import { acrossForeign } from '../../src/projections/foreign-gaps.js';
import { connectService, startStore } from '../support/event-store.js';
import { flagContent, metadataOf } from '../support/histories.js';

const FLAG = 'flag-acme:shop:a';

const CREATED = { type: 'FlagCreated', data: flagContent('a') };
const ENABLED = { type: 'FlagEnabled', data: { environment: 'production' } };
const ARCHIVED = { type: 'FlagArchived', data: {} };

const foreign = (client: EventStoreDBClient) =>
  client.appendToStream(FLAG, [
    jsonEvent({ type: 'FlagDisabled', data: { environment: 'production' } }),
    binaryEvent({ type: 'Picture', data: Buffer.from([0, 255]) }),
  ]);

/** A log with these events of ours in the flag's stream, and two of others in front of every one. */
const logOf = async (t: Test, events: readonly Event[]) => {
  const { store, client } = await startStore(t);
  const connection = connectService(t, store.url);
  const ours = kurrentEventStore(connection);
  for (const event of events) {
    await foreign(client);
    const { revision: expectedRevision } = await ours.read(FLAG);
    const options = { expectedRevision, metadata: metadataOf(1) };
    await ours.append(FLAG, [{ ...event, id: randomUUID() }], options);
  }
  const log = kurrentEventLog(connection);
  const delivered: LogEvent[] = [];
  for await (const batch of log.readForward(null, new AbortController().signal))
    delivered.push(...batch.events);
  /** What becomes of the stream when these are delivered. */
  const folded = async (batch: readonly LogEvent[]) => {
    const known = await acrossForeign(log, batch, () => undefined);
    return foldEvents(known, () => undefined, null).steps.map(({ after }) => after);
  };
  return { client, delivered, folded };
};

test('events of others inside a stream do not park it; a missed event of ours does', async (t) => {
  const { client, delivered, folded } = await logOf(t, [CREATED, ENABLED, ARCHIVED]);
  const [created, enabled, archived] = delivered;
  t.strictSame(
    delivered.map(({ revision }) => revision),
    [2, 5, 8],
  );
  t.match(await folded(delivered), [
    { category: 'flag', revision: 2 },
    { category: 'flag', revision: 5, state: { environments: { production: { enabled: true } } } },
    { category: 'flag', revision: 8, state: { status: 'archived' } },
  ]);

  const error = 'Revision 3 of the stream should come next, not 8.';
  t.match(await folded([created!, archived!]), [
    { category: 'flag' },
    { category: 'parked', since: { revision: 8, error } },
  ]);
  t.match(await folded([enabled!]), [{ category: 'parked' }], 'the first event is missed');

  await client.setStreamMetadata(FLAG, { truncateBefore: 5 });
  t.match(
    await folded(delivered),
    [{ category: 'parked' }, { category: 'parked' }, { category: 'parked' }],
    'nobody can see any more what lay between',
  );
});
