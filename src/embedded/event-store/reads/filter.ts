import type { ReadReq } from '@eventstore/db-client/generated/streams_pb.js';
import type { Entry } from '../storage/reader.js';
import { invalidArgument } from '../wire/errors.js';
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
export const filterOf = (options: ReadReq.Options): Filter | undefined => {
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
