import { type Json, sameJson } from '../json.js';

/** One difference between two states, for machines (`path`, `before`, `after`) and for people (`text`). */
export type Change = Readonly<{
  /** A JSON Pointer (RFC 6901), but variants and targets go by name: `/environments/production/targets/on`. */
  path: string;
  /** Absent when there was nothing. Of a set (tags, target keys): only what left it. */
  before?: Json;
  /** Absent when there is nothing any more. Of a set: only what joined it. */
  after?: Json;
  /** A sentence without a full stop, such as `production: enabled`. */
  text: string;
}>;

/** A name as one step of a path. */
export const step = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

const MAX_LISTED = 5;

/** Names as a person reads them; the rest of a long list is counted. */
export const listed = (names: readonly string[]): string => {
  const shown = names.slice(0, MAX_LISTED).map((name) => JSON.stringify(name));
  const hidden = names.length - shown.length;
  return hidden > 0 ? `${shown.join(', ')} and ${hidden} more` : shown.join(', ');
};

/** At most one change: the value at `path` when it differs. */
export const valueChange = (
  path: string,
  label: string,
  before: Json,
  after: Json,
): readonly Change[] =>
  sameJson(before, after)
    ? []
    : [
        {
          path,
          before,
          after,
          text: `${label} was ${JSON.stringify(before)}, now ${JSON.stringify(after)}`,
        },
      ];
