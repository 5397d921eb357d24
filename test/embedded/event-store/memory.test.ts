import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { createRequire } from 'node:module';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { jsonEvent } from '@eventstore/db-client';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials } from '@grpc/grpc-js';
import type * as Empties from 'google-protobuf/google/protobuf/empty_pb.js';
import type * as Times from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { test } from 'tap';
import { startStore } from '../../support/event-store.js';
import { until } from '../../support/until.js';

const require = createRequire(import.meta.url);
const messages = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;
const shared = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;
const theirs = createRequire(require.resolve('@eventstore/db-client')); // has a google-protobuf of its own
const times = theirs('google-protobuf/google/protobuf/timestamp_pb') as typeof Times;
const empties = theirs('google-protobuf/google/protobuf/empty_pb') as typeof Empties;

const MIB = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** What buffers take that something still refers to. */
const heldMib = async (): Promise<number> => {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    await turn();
  }
  return process.memoryUsage().external / MIB;
};

const nameOf = (stream: string): Shared.StreamIdentifier => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  return identifier;
};

/** A MiB of an append whose last chunk never comes, and whose time is over. */
const unfinished = (stream: string): Streams.BatchAppendReq => {
  const options = new messages.BatchAppendReq.Options();
  options.setStreamIdentifier(nameOf(stream));
  options.setAny(new empties.Empty());
  options.setDeadline(new times.Timestamp().setSeconds(1));
  const message = new messages.BatchAppendReq.ProposedMessage();
  message.setId(new shared.UUID().setString(randomUUID()));
  message.getMetadataMap().set('type', 'X').set('content-type', 'application/octet-stream');
  message.setData(Buffer.alloc(MIB - 1_000));
  return new messages.BatchAppendReq()
    .setCorrelationId(new shared.UUID().setString(randomUUID()))
    .setOptions(options)
    .setProposedMessagesList([message]);
};

test('an append that was answered because the rest did not come takes no memory', async (t) => {
  const { store } = await startStore(t);
  const client = new StreamsClient(new URL(store.url).host, credentials.createInsecure());
  const call = client.batchAppend();
  call.on('error', () => undefined);
  let answers = 0;
  call.on('data', () => (answers += 1));
  const before = await heldMib();
  const count = 64;
  for (let nth = 1; nth <= count; nth += 1) {
    call.write(unfinished(`s-${nth}`));
    await until('it is answered', () => answers === nth);
  }
  const more = (await heldMib()) - before;
  t.ok(more < count / 4, `${more} MiB of ${count}`);
  call.cancel();
  client.close();
});

/** A read from the beginning of a stream, as one gRPC message. */
const readRequest = (stream: string): Buffer => {
  const options = new messages.ReadReq.Options();
  const one = new messages.ReadReq.Options.StreamOptions();
  one.setStreamIdentifier(nameOf(stream));
  one.setStart(new shared.Empty());
  options.setStream(one);
  options.setCount('1000');
  options.setNoFilter(new shared.Empty());
  options.setUuidOption(new messages.ReadReq.Options.UUIDOption().setString(new shared.Empty()));
  const body = new messages.ReadReq().setOptions(options).serializeBinary();
  const head = Buffer.alloc(5);
  head.writeUInt32BE(body.length, 1);
  return Buffer.concat([head, body]);
};

test('a reader that does not read takes the memory of few events', async (t) => {
  const { store, client } = await startStore(t);
  const large = { text: 'x'.repeat(MIB - 1_000) };
  for (let nth = 0; nth < 20; nth += 1)
    await client.appendToStream('s', jsonEvent({ type: 'X', data: large }));
  const before = await heldMib();
  const readers = 8;
  const session = connectHttp2(`http://${new URL(store.url).host}`);
  t.teardown(() => {
    session.destroy();
  });
  for (let nth = 0; nth < readers; nth += 1) {
    const read = session.request({
      ':method': 'POST',
      ':path': '/event_store.client.streams.Streams/Read',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    read.end(readRequest('s'));
    await once(read, 'response');
  }
  // Others are served meanwhile; after so many answers nothing more is made ready for who does not read.
  for (let nth = 0; nth < 50; nth += 1)
    await client.appendToStream('other', jsonEvent({ type: 'X', data: {} }));
  const more = (await heldMib()) - before;
  t.ok(more > readers / 2, 'they have begun');
  t.ok(more < readers * 6, `${more} MiB for ${readers} readers`);
});
