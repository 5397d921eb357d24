import { type Json, sameJson } from '../json.js';
import { type Change } from './change.js';

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
