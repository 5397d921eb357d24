import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { Entry } from '../storage/reader.js';
import { invalidArgument } from '../wire/errors.js';

/** Which events of `$all` are wanted; `checkpointEvery` counts considered events, Infinity for no checkpoints. */
export type Filter = Readonly<{
  matches: (entry: Entry) => boolean;
  checkpointEvery: number;
}>;

const DEFAULT_WINDOW = 32;
const LEADING_FLAGS = /^\(\?([ims]+)\)/;

/** Clients write .NET expressions; leading inline flags are the part of them JavaScript lacks. */
const compile = (pattern: string): RegExp => {
  const flags = LEADING_FLAGS.exec(pattern)?.[1] ?? '';
  try {
    return new RegExp(pattern.replace(LEADING_FLAGS, ''), [...new Set(flags)].join(''));
  } catch {
    throw invalidArgument(`The filter is not a regular expression: ${pattern}`);
  }
};

const textMatcher = (
  expression: ReadReq.Options.FilterOptions.Expression,
): ((text: string) => boolean) => {
  const pattern = expression.getRegex();
  if (pattern !== '') {
    const regex = compile(pattern);
    return (text) => regex.test(text);
  }
  const prefixes = expression.getPrefixList();
  if (prefixes.length === 0) throw invalidArgument('The filter has neither a regex nor a prefix.');
  return (text) => prefixes.some((prefix) => text.startsWith(prefix));
};

/**
 * Reads the filter of a request; undefined without one. A regex wins over prefixes.
 * @throws CallError INVALID_ARGUMENT for a filter without expression or interval
 */
export const filterOf = (options: ReadReq.Options): Filter | undefined => {
  const filter = options.getFilter();
  if (!filter) return undefined;
  const multiplier = filter.getCheckpointintervalmultiplier();
  if (multiplier === 0)
    throw invalidArgument('checkpointIntervalMultiplier must be greater than 0.');
  const checkpointEvery = multiplier * (filter.hasMax() ? filter.getMax() : DEFAULT_WINDOW);

  const byStream = filter.getStreamIdentifier();
  const byType = filter.getEventType();
  const expression = byStream ?? byType;
  if (!expression) throw invalidArgument('The filter names neither streams nor event types.');
  const matchesText = textMatcher(expression);
  return {
    matches: byStream ? ({ stream }) => matchesText(stream) : ({ type }) => matchesText(type),
    checkpointEvery: Math.max(1, checkpointEvery),
  };
};
