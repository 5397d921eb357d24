import { createRequire } from 'node:module';
import { StreamsClient } from '@eventstore/db-client/generated/streams_grpc_pb.js';
import type * as Shared from '@eventstore/db-client/generated/shared_pb.js';
import type * as Streams from '@eventstore/db-client/generated/streams_pb.js';
import { credentials, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';

const require = createRequire(import.meta.url);
const messages = require('@eventstore/db-client/generated/streams_pb') as typeof Streams;
const shared = require('@eventstore/db-client/generated/shared_pb') as typeof Shared;

/** The generated client, on a connection of its own: what the official client hides can be sent and seen. */
export const rawClient = (port: number): StreamsClient =>
  new StreamsClient(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_receive_message_length': -1,
  });

/** What the official client calls this error. */
export const kindOf = (error: ServiceError): string => {
  if (!(error.metadata as unknown)) throw error;
  return error.metadata.get('exception')[0]?.toString() ?? 'unknown';
};

export const identifierOf = (stream: string): Shared.StreamIdentifier => {
  const identifier = new shared.StreamIdentifier();
  identifier.setStreamName(Buffer.from(stream).toString('base64'));
  return identifier;
};

export const uuidOf = (id: string): Shared.UUID => {
  const uuid = new shared.UUID();
  uuid.setString(id);
  return uuid;
};

export type Position = Readonly<{ commit: string; prepare: string }>;

/** What to read or to subscribe to; `stream` undefined is `$all`. */
export type Source = Readonly<{
  stream?: string | undefined;
  /** `start`, `end`, a revision, or a position of `$all`. */
  from: string | Position;
  backwards?: boolean;
  count?: string;
  resolveLinks?: boolean;
  filter?: Readonly<{
    of: 'stream' | 'type';
    prefixes?: readonly string[];
    regex?: string;
    window: number;
    interval: number;
  }>;
}>;

const streamOptions = (stream: string, from: Source['from']) => {
  const options = new messages.ReadReq.Options.StreamOptions();
  options.setStreamIdentifier(identifierOf(stream));
  if (from === 'start') options.setStart(new shared.Empty());
  else if (from === 'end') options.setEnd(new shared.Empty());
  else options.setRevision(from as string);
  return options;
};

const allOptions = (from: Source['from']) => {
  const options = new messages.ReadReq.Options.AllOptions();
  if (from === 'start') options.setStart(new shared.Empty());
  else if (from === 'end') options.setEnd(new shared.Empty());
  else {
    const { commit, prepare } = from as Position;
    const position = new messages.ReadReq.Options.Position();
    position.setCommitPosition(commit);
    position.setPreparePosition(prepare);
    options.setPosition(position);
  }
  return options;
};

const filterOptions = ({
  of,
  prefixes = [],
  regex,
  window,
  interval,
}: Source['filter'] & object) => {
  const expression = new messages.ReadReq.Options.FilterOptions.Expression();
  if (regex !== undefined) expression.setRegex(regex);
  expression.setPrefixList([...prefixes]);
  const options = new messages.ReadReq.Options.FilterOptions();
  if (of === 'stream') options.setStreamIdentifier(expression);
  else options.setEventType(expression);
  options.setMax(window);
  options.setCheckpointintervalmultiplier(interval);
  return options;
};

const readRequest = (source: Source): Streams.ReadReq => {
  const { stream, from, backwards = false, count, resolveLinks = false, filter } = source;
  const options = new messages.ReadReq.Options();
  if (stream === undefined) options.setAll(allOptions(from));
  else options.setStream(streamOptions(stream, from));
  const { FORWARDS, BACKWARDS } = messages.ReadReq.Options.ReadDirection;
  options.setReadDirection(backwards ? BACKWARDS : FORWARDS);
  options.setResolveLinks(resolveLinks);
  if (count === undefined)
    options.setSubscription(new messages.ReadReq.Options.SubscriptionOptions());
  else options.setCount(count);
  if (filter) options.setFilter(filterOptions(filter));
  else options.setNoFilter(new shared.Empty());
  const uuids = new messages.ReadReq.Options.UUIDOption();
  uuids.setString(new shared.Empty());
  options.setUuidOption(uuids);
  return new messages.ReadReq().setOptions(options);
};

/** An event as it was read. */
export type Recorded = Readonly<{
  stream: string;
  revision: string;
  id: string;
  type: string;
  data: Buffer;
  commit: string;
}>;

const recordedOf = (event: Streams.ReadResp.ReadEvent.RecordedEvent): Recorded => ({
  stream: Buffer.from(event.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString(),
  revision: event.getStreamRevision(),
  id: event.getId()?.getString() ?? '',
  type: event.getMetadataMap().get('type') ?? '',
  data: Buffer.from(event.getData_asU8()),
  commit: event.getCommitPosition(),
});

/** What one message of a read says. */
export type Message =
  | Readonly<{ kind: 'event'; event: Recorded | undefined; link: Recorded | undefined }>
  | Readonly<{ kind: 'checkpoint'; commit: string }>
  | Readonly<{ kind: 'confirmation' | 'caught-up' | 'stream-not-found' | 'other' }>;

export const messageOf = (response: Streams.ReadResp): Message => {
  const read = response.getEvent();
  if (read) {
    const [event, link] = [read.getEvent(), read.getLink()];
    return {
      kind: 'event',
      event: event && recordedOf(event),
      link: link && recordedOf(link),
    };
  }
  const checkpoint = response.getCheckpoint();
  if (checkpoint) return { kind: 'checkpoint', commit: checkpoint.getCommitPosition() };
  if (response.hasConfirmation()) return { kind: 'confirmation' };
  if (response.hasCaughtUp()) return { kind: 'caught-up' };
  return { kind: response.hasStreamNotFound() ? 'stream-not-found' : 'other' };
};

/** Begins a read; a subscription when `source` has no count. */
export const startRead = (
  client: StreamsClient,
  source: Source,
): ClientReadableStream<Streams.ReadResp> => client.read(readRequest(source));

type Resolved = Extract<Message, { kind: 'event' }>;

/** A whole read: its events, or the kind of error. */
export const readAllOf = async (
  client: StreamsClient,
  source: Source & Readonly<{ count: string }>,
): Promise<readonly Resolved[] | string> => {
  const events: Resolved[] = [];
  try {
    for await (const response of startRead(client, source)) {
      const message = messageOf(response as Streams.ReadResp);
      if (message.kind === 'event') events.push(message);
      else return message.kind;
    }
    return events;
  } catch (error) {
    return kindOf(error as ServiceError);
  }
};

/** An event with any bytes as its data. */
export type RawEvent = Readonly<{ id: string; type: string; data: Buffer; isJson: boolean }>;

/** The official client's words for what an append brought. */
export type Appended =
  | Readonly<{ kind: 'ok'; next: string; commit: string | undefined }>
  | Readonly<{ kind: string; actual?: string }>;

const ERRORS: Record<string, string> = {
  StreamDeleted: 'stream-deleted',
  MaximumAppendSizeExceeded: 'maximum-append-size-exceeded',
};

const batchOutcome = (response: Streams.BatchAppendResp): Appended => {
  const success = response.getSuccess();
  if (success) {
    const commit = success.getPosition()?.getCommitPosition();
    return { kind: 'ok', next: success.getCurrentRevision(), commit };
  }
  const details = response.getError()!.getDetails()!;
  const type = details.getTypeUrl().split('.').at(-1)!;
  if (type !== 'WrongExpectedVersion') return { kind: ERRORS[type] ?? 'unknown' };
  const wrong = shared.WrongExpectedVersion.deserializeBinary(details.getValue_asU8());
  return {
    kind: 'wrong-expected-version',
    actual: wrong.hasCurrentNoStream() ? 'no_stream' : wrong.getCurrentStreamRevision(),
  };
};

const theirs = createRequire(require.resolve('@eventstore/db-client')); // has a google-protobuf of its own
const { Empty } = theirs('google-protobuf/google/protobuf/empty_pb') as { Empty: new () => never };

const setExpected = (options: Streams.BatchAppendReq.Options, expected: string) => {
  if (expected === 'any') return options.setAny(new Empty());
  if (expected === 'no_stream') return options.setNoStream(new Empty());
  return expected === 'stream_exists'
    ? options.setStreamExists(new Empty())
    : options.setStreamPosition(expected);
};

const batchRequest = (stream: string, expected: string, events: readonly RawEvent[]) => {
  const options = new messages.BatchAppendReq.Options();
  options.setStreamIdentifier(identifierOf(stream));
  setExpected(options, expected);
  const request = new messages.BatchAppendReq();
  request.setCorrelationId(uuidOf('00000000-0000-4000-8000-000000000001'));
  request.setOptions(options);
  for (const { id, type, data, isJson } of events) {
    const message = new messages.BatchAppendReq.ProposedMessage();
    message.setId(uuidOf(id));
    const contentType = isJson ? 'application/json' : 'application/octet-stream';
    message.getMetadataMap().set('type', type).set('content-type', contentType);
    message.setData(data);
    request.addProposedMessages(message);
  }
  request.setIsFinal(true);
  return request;
};

/** An append of events with any bytes; by batch, in a call of its own. */
export const appendRaw = (
  client: StreamsClient,
  stream: string,
  expected: string,
  events: readonly RawEvent[],
): Promise<Appended> =>
  new Promise((resolve) => {
    const call = client.batchAppend();
    call.on('data', (response: Streams.BatchAppendResp) => {
      resolve(batchOutcome(response));
      call.end();
    });
    call.on('error', (error: ServiceError) => {
      resolve({ kind: kindOf(error) });
    });
    call.write(batchRequest(stream, expected, events));
  });
