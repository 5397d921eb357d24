import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { EventStoreDBClient } from '@eventstore/db-client';
import type { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type { Test } from 'tap';
import { temporaryFolder } from '../event-store.js';
import { buildEventStore, spawnStore } from '../event-store-process.js';
import { freePort } from '../free-port.js';
import { rawClient, readAllOf } from './wire.js';

/** The server under test, in a process of its own, with a fresh log; `kill` ends it, with -9 unless a signal is given, and starts it anew. */
export type RecordedStore = Readonly<{
  client: () => EventStoreDBClient;
  raw: () => StreamsClient;
  kill: (signal?: NodeJS.Signals) => Promise<void>;
  folder: string;
  /** `stream@revision` of the event at a position, for all events so far. */
  places: () => Promise<ReadonlyMap<string, string>>;
  /** The position of the event `stream@revision`. */
  positionOf: (place: string) => Promise<string>;
  /** The newest metadata event of every metadata stream. */
  metadata: () => Promise<ReadonlyMap<string, string>>;
}>;

const learner = (raw: () => StreamsClient) => {
  const places = new Map<string, string>();
  const positions = new Map<string, string>();
  const metadata = new Map<string, string>();
  let last: string | undefined;
  const learn = async () => {
    const from = last === undefined ? 'start' : { commit: last, prepare: last };
    const events = await readAllOf(raw(), { from, count: '9007199254740991' });
    if (typeof events === 'string') throw new Error(events);
    for (const { event } of events) {
      if (!event) continue;
      const place = `${event.stream}@${event.revision}`;
      places.set(event.commit, place);
      positions.set(place, event.commit);
      if (event.stream.startsWith('$$')) metadata.set(event.stream, event.data.toString());
      last = event.commit;
    }
  };
  return {
    places: async () => {
      await learn();
      return places;
    },
    positionOf: async (place: string) => {
      if (!positions.has(place)) await learn();
      const position = positions.get(place);
      if (position === undefined) throw new Error(`There is no event ${place}.`);
      return position;
    },
    metadata: async () => {
      await learn();
      return metadata;
    },
  };
};

/** Linux's file system in memory: answers are compared here, and nothing is said of disks. */
const MEMORY = '/dev/shm';

export const recordedStore = async (t: Test): Promise<RecordedStore> => {
  const main = await buildEventStore(t);
  const folder = temporaryFolder(t, existsSync(MEMORY) ? MEMORY : tmpdir());
  const port = await freePort();
  const start = async () => {
    const server = spawnStore(t, main, ['--db', folder, '--port', `${port}`]);
    await server.ready;
    const client = EventStoreDBClient.connectionString(`esdb://127.0.0.1:${port}?tls=false`);
    const raw = rawClient(port);
    const close = async () => {
      await client.dispose();
      raw.close();
    };
    return { server, client, raw, close };
  };
  let running = await start();
  t.teardown(() => running.close());
  return {
    client: () => running.client,
    raw: () => running.raw,
    folder,
    kill: async (signal = 'SIGKILL') => {
      await running.close();
      running.server.process.kill(signal);
      await once(running.server.process, 'close');
      running = await start();
    },
    ...learner(() => running.raw),
  };
};
