import { type ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import { status } from '@grpc/grpc-js';
import { type Entry } from '../storage/reader.js';
import { CallError, invalidArgument } from '../wire/errors.js';
import { compileRegex } from './regex.js';

/** Which events of `$all` are wanted; a checkpoint comes after every `interval` windows of considered events. */
export type Filter = Readonly<{
  matches: (entry: Entry) => boolean;
  window: number;
  interval: number;
}>;

const DEFAULT_WINDOW = 32;

const textMatcher = (
  expression: ReadReq.Options.FilterOptions.Expression,
): ((text: string) => boolean) => {
  const pattern = expression.getRegex();
  if (pattern !== '') return compileRegex(pattern);
  const prefixes = expression.getPrefixList();
  if (prefixes.length === 0) throw invalidArgument('The filter has neither a regex nor a prefix.');
  return (text) => prefixes.some((prefix) => text.startsWith(prefix));
};

/**
 * Reads the filter of a request; undefined without one. A regex wins over prefixes.
 * @throws CallError INVALID_ARGUMENT for a filter without expression or interval
 */
const filterOf = (options: ReadReq.Options): Filter | undefined => {
  const filter = options.getFilter();
  if (!filter) return undefined;
  const interval = filter.getCheckpointintervalmultiplier();
  if (interval === 0) throw invalidArgument('checkpointIntervalMultiplier must be greater than 0.');

  const byStream = filter.getStreamIdentifier();
  const byType = filter.getEventType();
  const expression = byStream ?? byType;
  if (!expression) throw invalidArgument('The filter names neither streams nor event types.');
  const matchesText = textMatcher(expression);
  return {
    matches: byStream ? ({ stream }) => matchesText(stream) : ({ type }) => matchesText(type),
    window: Math.max(1, filter.hasMax() ? filter.getMax() : DEFAULT_WINDOW),
    interval,
  };
};

/** Where a read begins: a revision of a stream or a position of `$all`, as a safe integer. */
type Start = number | 'start' | 'end';

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
const MAX_LONG = 2n ** 63n - 1n;
const MAX_UNSIGNED = 2n ** 64n - 1n;

/** What a real server cannot read it answers with UNKNOWN, and so does this one. */
export const unreadable = (message: string): CallError => new CallError(status.UNKNOWN, message);

/** Nothing in the log is beyond 2^53, so clamping loses nothing. */
const clamped = (value: bigint): number =>
  Number(value < Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER - 1);

type Way = Readonly<{ isBackwards: boolean; isSubscription: boolean }>;

/** Revisions are 63 bits wide; all 64 set stand for the end. */
const revisionStart = (text: string, { isSubscription }: Way): Start => {
  const revision = BigInt(text);
  if (revision === MAX_UNSIGNED) return 'end';
  if (revision > MAX_LONG || (isSubscription && revision === MAX_LONG))
    throw unreadable(`There is no revision ${text}.`);
  return clamped(revision);
};

const streamStart = (stream: ReadReq.Options.StreamOptions, way: Way): Start => {
  const start = stream.hasRevision()
    ? revisionStart(stream.getRevision(), way)
    : stream.hasEnd()
      ? 'end'
      : 'start';
  if (start === 'end' && !way.isBackwards && !way.isSubscription)
    throw unreadable('A stream cannot be read forwards from its end.');
  return start;
};

const positionStart = (position: ReadReq.Options.Position): Start => {
  const commit = BigInt(position.getCommitPosition());
  const prepare = BigInt(position.getPreparePosition());
  if (commit === MAX_UNSIGNED) return 'end';
  if (commit > MAX_LONG || (prepare > commit && prepare !== MAX_UNSIGNED))
    throw unreadable(`There is no position ${commit}/${prepare}.`);
  return commit === 0n ? 'start' : clamped(commit);
};

const allStart = (all: ReadReq.Options.AllOptions): Start => {
  const position = all.getPosition();
  if (position) return positionStart(position);
  return all.hasEnd() ? 'end' : 'start';
};

const sourceOf = (options: ReadReq.Options, way: Way): Pick<ReadPlan, 'stream' | 'start'> => {
  const stream = options.getStream();
  if (stream) {
    const name = Buffer.from(stream.getStreamIdentifier()?.getStreamName_asU8() ?? []).toString();
    if (name === '') throw invalidArgument('The stream name is empty.');
    return { stream: name, start: streamStart(stream, way) };
  }
  const all = options.getAll();
  if (!all) throw invalidArgument('The request names neither a stream nor $all.');
  return { stream: undefined, start: allStart(all) };
};

/** A real server refuses a count of 0 for a stream, and never stops reading `$all` with it. */
const countOf = (options: ReadReq.Options): number => {
  if (options.hasSubscription()) return Infinity;
  if (!options.hasCount())
    throw invalidArgument('The request has neither a count nor a subscription.');
  const count = Number(options.getCount());
  if (count === 0) throw unreadable('The count is 0.');
  return count;
};

/** @throws CallError for what a real server refuses too */
export const readPlan = (request: ReadReq): ReadPlan => {
  const options = request.getOptions();
  if (!options) throw invalidArgument('The request has no options.');
  const isBackwards = BACKWARDS === (options.getReadDirection() as number);
  const isSubscription = options.hasSubscription();
  if (isBackwards && isSubscription) throw invalidArgument('A subscription cannot run backwards.');
  return {
    ...sourceOf(options, { isBackwards, isSubscription }),
    isBackwards,
    isSubscription,
    count: countOf(options),
    resolvesLinks: options.getResolveLinks(),
    filter: filterOf(options),
  };
};
