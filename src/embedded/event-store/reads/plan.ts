import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { invalidArgument } from '../wire/errors.js';
import { filterOf, type Filter } from './filter.js';

/** Where a read begins: a revision of a stream or a position of `$all`, as a safe integer. */
export type Start = number | 'start' | 'end';

/** A Read request, checked. `stream` is undefined for `$all`; `count` may be Infinity. */
export type ReadPlan = Readonly<{
  stream: string | undefined;
  start: Start;
  isBackwards: boolean;
  count: number;
  isSubscription: boolean;
  resolvesLinks: boolean;
  filter: Filter | undefined;
}>;

const BACKWARDS = 1;

/** Numbers of 64 bits arrive as text; nothing in the log is beyond 2^53, so clamping loses nothing. */
const clamped = (text: string): number => Math.min(Number(text), Number.MAX_SAFE_INTEGER - 1);

const streamStart = (stream: ReadReq.Options.StreamOptions): Start => {
  if (stream.hasRevision()) return clamped(stream.getRevision());
  return stream.hasEnd() ? 'end' : 'start';
};

const allStart = (all: ReadReq.Options.AllOptions): Start => {
  const position = all.getPosition();
  if (position) return clamped(position.getCommitPosition());
  return all.hasEnd() ? 'end' : 'start';
};

const sourceOf = (options: ReadReq.Options): Pick<ReadPlan, 'stream' | 'start'> => {
  const stream = options.getStream();
  if (stream) {
    const name = Buffer.from(stream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
    if (name === '') throw invalidArgument('The stream name is empty.');
    return { stream: name, start: streamStart(stream) };
  }
  const all = options.getAll();
  if (!all) throw invalidArgument('The request names neither a stream nor $all.');
  return { stream: undefined, start: allStart(all) };
};

/** @throws CallError INVALID_ARGUMENT for a request no client of the protocol sends */
export const readPlan = (request: ReadReq): ReadPlan => {
  const options = request.getOptions();
  if (!options) throw invalidArgument('The request has no options.');
  const isBackwards = BACKWARDS === (options.getReadDirection() as number);
  const isSubscription = options.hasSubscription();
  if (isBackwards && isSubscription) throw invalidArgument('A subscription cannot run backwards.');
  return {
    ...sourceOf(options),
    isBackwards,
    isSubscription,
    count: isSubscription ? Infinity : Number(options.getCount()),
    resolvesLinks: options.getResolveLinks(),
    filter: filterOf(options),
  };
};
