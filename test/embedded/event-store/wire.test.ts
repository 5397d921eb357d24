import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import fc from 'fast-check';
import type * as Times from 'google-protobuf/google/protobuf/timestamp_pb.js';
import { test } from 'tap';
import {
  encodeFrame,
  encodeResolvedLink,
  TOMBSTONE_REVISION,
} from '../../../src/embedded/event-store/wire/frame.js';
import {
  CAUGHT_UP,
  encodeAppended,
  encodeCheckpoint,
  encodeConfirmation,
  encodeDeleted,
  encodeStreamNotFound,
} from '../../../src/embedded/event-store/wire/replies.js';
import {
  decodeAppend,
  decodeBatchAppend,
  type Expected,
} from '../../../src/embedded/event-store/wire/requests.js';

/** The hand-written codecs against the generated modules the client itself uses. */
const require = createRequire(import.meta.url);
const streams = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;
const shared = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;
const theirs = createRequire(require.resolve('@eventstore/db-client')); // has a google-protobuf of its own
const times = theirs('google-protobuf/google/protobuf/timestamp_pb') as typeof Times;

const natural = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 300 });
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 200 });

const placed = fc.record({
  id: fc.uuid(),
  type: name,
  stream: name,
  isJson: fc.boolean(),
  data: bytes,
  metadata: bytes,
  revision: fc.oneof(natural, fc.constant(TOMBSTONE_REVISION)),
  position: natural,
  createdMs: fc.nat(),
});

const readEvent = (message: Buffer) => streams.ReadResp.deserializeBinary(message).getEvent();

const present = <T>(value: T | undefined): T => {
  assert.ok(value !== undefined);
  return value;
};

const textOf = (value: Uint8Array | undefined): string => Buffer.from(value ?? []).toString();

test('an encoded event reads as the generated code writes it', async (t) => {
  t.plan(1);
  fc.assert(
    fc.property(placed, (event) => {
      const read = present(readEvent(encodeFrame(event)));
      const record = present(read.getEvent());
      const { id, type, stream, isJson, data, metadata, revision, createdMs } = event;
      const position = event.position.toString();
      assert.deepStrictEqual(
        {
          id: present(record.getId()).getString(),
          stream: textOf(record.getStreamIdentifier()?.getStreamName_asU8()),
          revision: record.getStreamRevision(),
          positions: [record.getCommitPosition(), record.getPreparePosition()],
          eventPosition: read.getCommitPosition(),
          entries: record.getMetadataMap().toArray().sort(),
          bodies: [record.getData_asB64(), record.getCustomMetadata_asB64()],
        },
        {
          id,
          stream,
          revision: (revision === TOMBSTONE_REVISION ? 2n ** 63n - 1n : revision).toString(),
          positions: [position, position],
          eventPosition: position,
          entries: [
            ['content-type', `application/${isJson ? 'json' : 'octet-stream'}`],
            ['created', `${createdMs}0000`],
            ['type', type],
          ],
          bodies: [data, metadata].map((body) => Buffer.from(body).toString('base64')),
        },
      );
    }),
  );
  t.pass();
});

test('an event larger than the encoder first allows for is encoded whole', async (t) => {
  const data = new Uint8Array(1_000_000).fill(7);
  const frame = encodeFrame({
    id: '00000000-0000-4000-8000-000000000001',
    type: 'T',
    stream: 's',
    isJson: false,
    data,
    metadata: data,
    revision: 0,
    position: 1,
    createdMs: 1,
  });
  const record = readEvent(frame)?.getEvent();
  t.ok(Buffer.from(record?.getData_asU8() ?? []).equals(data));
  const resolved = readEvent(encodeResolvedLink(frame, 1, undefined));
  t.notOk(resolved?.hasEvent());
  t.ok(resolved?.hasLink());
});

test('the other read replies read as the generated code writes them', async (t) => {
  const read = (message: Buffer) => streams.ReadResp.deserializeBinary(message);
  t.equal(read(encodeConfirmation('abc')).getConfirmation()?.getSubscriptionId(), 'abc');
  const checkpoint = read(encodeCheckpoint(2 ** 40)).getCheckpoint();
  t.equal(checkpoint?.getCommitPosition(), `${2 ** 40}`);
  t.equal(checkpoint?.getPreparePosition(), `${2 ** 40}`);
  t.ok(read(CAUGHT_UP).hasCaughtUp());
  const missing = read(encodeStreamNotFound('ß')).getStreamNotFound()?.getStreamIdentifier();
  t.equal(textOf(missing?.getStreamName_asU8()), 'ß');
  const deleted = streams.DeleteResp.deserializeBinary(encodeDeleted(5)).getPosition();
  t.equal(deleted?.getCommitPosition(), '5');
});

test('a wrong version of a classic append is also told in the fields of 20.6.0', async (t) => {
  const wrong = (expected: Expected, current: number) => {
    const message = encodeAppended({ kind: 'wrong-revision', expected, current });
    const all = streams.AppendResp.deserializeBinary(message).getWrongExpectedVersion()?.toObject();
    const fields: [string, unknown][] = Object.entries(all ?? {});
    return Object.fromEntries(
      fields.filter(([, value]) => ![undefined, 0, '0'].includes(value as 0)),
    );
  };
  t.strictSame(wrong(7n, 3), {
    currentRevision: '3',
    currentRevision2060: 3,
    expectedRevision: '7',
    expectedRevision2060: 7,
  });
  t.strictSame(wrong('any', -1), {
    currentNoStream: {},
    noStream2060: {},
    expectedAny: {},
    any2060: {},
  });
  t.strictSame(Object.keys(wrong('stream_exists', -1)).sort(), [
    'currentNoStream',
    'expectedStreamExists',
    'noStream2060',
    'streamExists2060',
  ]);
  t.strictSame(wrong('no_stream', 2), {
    currentRevision: '2',
    currentRevision2060: 2,
    expectedNoStream: {},
  });
});

type Plain = Readonly<{
  id: string | undefined;
  type: string | undefined;
  data: Uint8Array;
  metadata: Uint8Array;
}>;

const proposal = fc.record({ id: fc.uuid(), type: name, data: bytes, metadata: bytes });

test('a batch append is decoded as the generated code encodes it', async (t) => {
  t.plan(1);
  fc.assert(
    fc.property(
      fc.array(proposal, { maxLength: 5 }),
      name,
      fc.bigInt(0n, 2n ** 64n - 1n),
      fc.nat(),
      (proposals, stream, revision, deadlineMs) => {
        const identifier = new shared.StreamIdentifier();
        identifier.setStreamName(Buffer.from(stream).toString('base64'));
        const options = new streams.BatchAppendReq.Options();
        options.setStreamIdentifier(identifier);
        options.setStreamPosition(revision.toString());
        options.setDeadline(times.Timestamp.fromDate(new Date(deadlineMs)));
        const request = new streams.BatchAppendReq();
        request.setOptions(options);
        request.setIsFinal(true);
        for (const { id, type, data, metadata } of proposals) {
          const message = new streams.BatchAppendReq.ProposedMessage();
          const uuid = new shared.UUID();
          uuid.setString(id);
          message.setId(uuid);
          message.getMetadataMap().set('type', type).set('content-type', 'application/json');
          message.setData(data);
          message.setCustomMetadata(metadata);
          request.addProposedMessages(message);
        }
        const chunk = decodeBatchAppend(Buffer.from(request.serializeBinary()));
        const plain = ({ id, type, data, metadata }: Plain) => [
          id,
          type,
          Buffer.from(data).toString('hex'),
          Buffer.from(metadata).toString('hex'),
        ];
        assert.deepStrictEqual(chunk.options, { stream, expected: revision, deadlineMs });
        assert.deepStrictEqual(chunk.proposals.map(plain), proposals.map(plain));
        assert.equal(chunk.isFinal, true);
      },
    ),
  );
  t.pass();
});

test('an id may come in two halves', async (t) => {
  const structured = new shared.UUID.Structured();
  structured.setMostSignificantBits(0x00112233445566n.toString());
  structured.setLeastSignificantBits(0x8899aabbccddeeffn.toString());
  const uuid = new shared.UUID();
  uuid.setStructured(structured);
  const message = new streams.AppendReq.ProposedMessage();
  message.setId(uuid);
  const request = new streams.AppendReq();
  request.setProposedMessage(message);
  t.match(decodeAppend(Buffer.from(request.serializeBinary())), {
    id: '00001122-3344-5566-8899-aabbccddeeff',
  });
});

test('bytes that are no message are an error and nothing else', async (t) => {
  t.plan(1);
  fc.assert(
    fc.property(bytes, (noise) => {
      try {
        decodeBatchAppend(Buffer.from(noise));
        return true;
      } catch (error) {
        return error instanceof RangeError;
      }
    }),
  );
  t.pass();
});
