import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import type { EventStoreDBClient } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, status, type ServiceError } from '@grpc/grpc-js';
import { test, type Test } from 'tap';
import { collect, rejection, startStore } from '../../support/event-store.js';
import { tcpProxy } from '../../support/tcp-proxy.js';

const require = createRequire(import.meta.url);
const messages = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;
const shared = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;

const optionsOf = (stream: string): Streams.AppendReq => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  const options = new messages.AppendReq.Options();
  options.setStreamIdentifier(identifier);
  options.setNoStream(new shared.Empty());
  return new messages.AppendReq().setOptions(options);
};

const proposal = (): Streams.AppendReq => {
  const id = new shared.UUID();
  id.setString(randomUUID());
  const message = new messages.AppendReq.ProposedMessage();
  message.setId(id);
  message.getMetadataMap().set('type', 'X').set('content-type', 'application/octet-stream');
  message.setData(Buffer.alloc(100));
  return new messages.AppendReq().setProposedMessage(message);
};

/** A classic append that has sent its options and `count` events, and not said that these are all. */
const openAppend = (
  client: StreamsClient,
  stream: string,
  count: number,
  deadlineMs = Infinity,
) => {
  let end: ((error: ServiceError | null) => void) | undefined;
  const ended = new Promise<ServiceError | null>((resolve) => (end = resolve));
  const call = client.append({ deadline: deadlineMs }, (error) => end?.(error));
  call.write(optionsOf(stream));
  for (let n = 0; n < count; n++) call.write(proposal());
  return { call, ended };
};

const streamsClient = (t: Test, url: string): StreamsClient => {
  const client = new StreamsClient(new URL(url).host, credentials.createInsecure());
  t.teardown(() => {
    client.close();
  });
  return client;
};

/** A read over the connection of `client`: the server has then got all that was sent before it. */
const roundTrip = (client: StreamsClient): Promise<void> =>
  new Promise((resolve) => {
    const options = new messages.ReadReq.Options();
    const all = new messages.ReadReq.Options.AllOptions();
    all.setStart(new shared.Empty());
    options.setAll(all);
    options.setCount('1');
    options.setNoFilter(new shared.Empty());
    options.setUuidOption(new messages.ReadReq.Options.UUIDOption().setString(new shared.Empty()));
    const read = client.read(new messages.ReadReq().setOptions(options));
    read.on('end', resolve).resume();
  });

const isMissing = async (client: EventStoreDBClient, stream: string): Promise<boolean> => {
  const error = await rejection(collect(client.readStream(stream)));
  return error['type'] === 'stream-not-found';
};

const COUNTS = [1, 2, 3, 5, 20, 300];

test('a classic append that is cancelled half-way stores nothing', async (t) => {
  const { client, store } = await startStore(t);
  const raw = streamsClient(t, store.url);
  for (const count of COUNTS) {
    const { call, ended } = openAppend(raw, `cancelled-${count}`, count);
    await roundTrip(raw);
    call.cancel();
    t.equal((await ended)?.code, status.CANCELLED);
    await roundTrip(raw);
    t.ok(await isMissing(client, `cancelled-${count}`), `${count} events`);
  }
});

test('a classic append that meets its deadline half-way stores nothing', async (t) => {
  const { client, store } = await startStore(t);
  const raw = streamsClient(t, store.url);
  for (const count of COUNTS) {
    const { ended } = openAppend(raw, `late-${count}`, count, Date.now() + 50);
    t.equal((await ended)?.code, status.DEADLINE_EXCEEDED);
    await roundTrip(raw);
    t.ok(await isMissing(client, `late-${count}`), `${count} events`);
  }
});

test('a classic append whose connection breaks stores nothing', async (t) => {
  const { client, store } = await startStore(t);
  const line = await tcpProxy(t, store.url);
  for (const count of COUNTS) {
    const raw = streamsClient(t, line.url);
    const { ended } = openAppend(raw, `broken-${count}`, count);
    await roundTrip(raw);
    line.resume(); // cuts what is connected
    t.equal((await ended)?.code, status.UNAVAILABLE);
    await roundTrip(streamsClient(t, line.url));
    t.ok(await isMissing(client, `broken-${count}`), `${count} events`);
  }
});

test('a connection carries a hundred calls, and the next one waits for one of them to end', async (t) => {
  const { store } = await startStore(t);
  const raw = streamsClient(t, store.url);
  const open = Array.from({ length: 100 }, (_, n) => openAppend(raw, `open-${n}`, 1));
  let isAnswered = false;
  const waiting = roundTrip(raw).then(() => (isAnswered = true));
  await roundTrip(streamsClient(t, `${store.url}&other`.replace('127.0.0.1', 'localhost')));
  t.notOk(isAnswered);
  open[0]?.call.cancel();
  await waiting;
  for (const { call } of open) call.cancel();
});

test('thousands of calls that are cut off break neither a connection nor the calls on it', async (t) => {
  const { client, store } = await startStore(t);
  const raw = streamsClient(t, store.url);
  const { call, ended } = openAppend(raw, 'slow', 1);
  for (let round = 0; round < 30; round++) {
    const cut = Array.from({ length: 90 }, () => openAppend(raw, 's', 1));
    await roundTrip(raw);
    for (const { call: each } of cut) each.cancel();
    const errors = await Promise.all(cut.map(({ ended: each }) => each));
    t.ok(errors.every((error) => error?.code === status.CANCELLED));
  }
  call.end();
  t.equal(await ended, null, 'a call that was open all the time');
  t.equal((await collect(client.readStream('slow'))).length, 1);
});
