import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  EventStoreDBClient,
  jsonEvent,
  type AllStreamSubscription,
  type EventData,
  type StreamSubscription,
} from '@eventstore/db-client';
import type { Test } from 'tap';
import {
  startEventStore,
  type EventStore,
  type EventStoreOptions,
} from '../../src/embedded/event-store/start.js';
import {
  type ConnectionOptions,
  kurrentConnection,
  type KurrentConnection,
} from '../../src/infrastructure/kurrent/connection.js';
import { freePort } from './free-port.js';

/** A directory that is removed after the test. */
export const temporaryFolder = (t: Test, parent = tmpdir()): string => {
  const folder = mkdtempSync(join(parent, 'event-store-'));
  t.teardown(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

/** A client of the store at `url`, disposed after the test. */
export const connect = (t: Test, url: string): EventStoreDBClient => {
  const client = EventStoreDBClient.connectionString(url);
  t.teardown(() => client.dispose());
  return client;
};

/** The service's connection to the store at `url`, closed after the test. */
export const connectService = (
  t: Test,
  url = process.env['TEST_EVENTSTORE_URL'] ?? '',
  options: ConnectionOptions = {},
): KurrentConnection => {
  const connection = kurrentConnection(url, options);
  t.teardown(connection.close);
  return connection;
};

/** An event store in this process on a free port, and a real client of it over TCP. */
export const startStore = async (
  t: Test,
  folder = temporaryFolder(t),
  options: Partial<EventStoreOptions> = {},
): Promise<{ store: EventStore; client: EventStoreDBClient; folder: string }> => {
  const store = await startEventStore({ folder, port: await freePort(), ...options });
  t.teardown(store.close);
  return { store, client: connect(t, store.url), folder };
};

/** An event with this type and number in its data, and an id of its own unless given. */
export const event = (type: string, n = 0, id: string = randomUUID()): EventData =>
  jsonEvent({ type, data: { n }, id });

/** `count` events of one type, numbered from 0. */
export const events = (type: string, count: number): EventData[] =>
  Array.from({ length: count }, (_, n) => event(type, n));

type Resolved = Readonly<{ event?: unknown; link?: unknown }>;

/** All of a read. */
export const collect = async <T extends Resolved>(read: AsyncIterable<T>): Promise<T[]> => {
  const all: T[] = [];
  for await (const resolved of read) all.push(resolved);
  return all;
};

/** The error a promise rejects with. */
export const rejection = async (promise: Promise<unknown>): Promise<Record<string, unknown>> => {
  try {
    await promise;
  } catch (error) {
    return error as Record<string, unknown>;
  }
  throw new Error('Nothing was rejected.');
};

type Subscription = StreamSubscription | AllStreamSubscription;

/** What a subscription delivered, in order, 'caught up' included; `until` waits for a condition on it. */
export const record = (t: Test, subscription: Subscription) => {
  const seen: string[] = [];
  const errors: unknown[] = [];
  subscription.on('data', (resolved: { event?: { streamId: string; type: string } }) => {
    seen.push(resolved.event ? `${resolved.event.streamId}:${resolved.event.type}` : 'gone');
    subscription.emit('recorded');
  });
  subscription.on('caughtUp', () => {
    seen.push('caught up');
    subscription.emit('recorded');
  });
  subscription.on('error', (error) => {
    errors.push(error);
    subscription.emit('recorded');
  });
  t.teardown(() => subscription.unsubscribe());
  const until = async (isDone: (seen: readonly string[]) => boolean): Promise<void> => {
    while (!isDone(seen)) await once(subscription, 'recorded');
  };
  return {
    seen,
    errors,
    until,
    untilFailed: async (): Promise<void> => {
      while (errors.length === 0) await once(subscription, 'recorded');
    },
  };
};
