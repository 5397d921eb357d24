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

/** Where changes are: the path they begin with, and what a sentence begins with (empty: nothing). */
export type Scope = Readonly<{ path: string; label: string }>;

/** A sentence about something in this scope. */
export const within = ({ label }: Scope, text: string): string =>
  label === '' ? text : `${label}: ${text}`;

/** At most one change: the value at the scope's path when it differs, told by `text`. */
export const worded = (
  scope: Scope,
  [before, after]: readonly [Json, Json],
  text: string,
): readonly Change[] =>
  sameJson(before, after) ? [] : [{ path: scope.path, before, after, text: within(scope, text) }];
