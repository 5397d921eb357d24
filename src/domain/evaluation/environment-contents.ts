import { type Ruleset } from './ruleset.js';
import { type SegmentDefinition } from './segment-definition.js';

/** All that evaluating in one environment needs, by key. */
export type EnvironmentContents = Readonly<{
  flags: ReadonlyMap<string, Ruleset>;
  segments: ReadonlyMap<string, SegmentDefinition>;
}>;

/** Flags and segments that changed; `null`: removed. */
export type ContentChanges = Readonly<{
  flags: ReadonlyMap<string, Ruleset | null>;
  segments: ReadonlyMap<string, SegmentDefinition | null>;
}>;

// Flags and segments of an environment are stored under one roof. No key begins with this character.
const SEGMENT = '@';

/** The name that a segment is stored by, next to flags, which are stored by their keys. */
export const segmentEntry = (key: string): string => `${SEGMENT}${key}`;

/** Whether an entry is a segment's. */
export const isSegmentEntry = (name: string): boolean => name.startsWith(SEGMENT);
