import { type RulesetChange } from '../domain/evaluation/change.js';
import { segmentEntry } from '../domain/evaluation/environment-contents.js';
import { rulesetOf } from '../domain/evaluation/ruleset.js';
import { segmentDefinitionOf } from '../domain/evaluation/segment-definition.js';
import { canonicalJson } from '../domain/json.js';
import { type TrackedFlag, type TrackedSegment } from './fold/tracked.js';

/** One flag or segment in one environment: its entry as canonical JSON, and what evaluating processes are told. */
type Entry = Readonly<{ name: string; json: string | null; change: RulesetChange }>;

/** `environment` is the key, `id` the environmentId. */
export type EntryIn = (environment: string, id: string) => Entry;

export const flagEntryIn =
  (flag: TrackedFlag): EntryIn =>
  (environment, id) => {
    const ruleset = rulesetOf(flag.state, environment, flag) ?? null;
    const change = { environment: id, flag: flag.key, ruleset };
    return { name: flag.key, json: ruleset && canonicalJson(ruleset), change };
  };

/** Characters of a segment that the stream of changes carries. It keeps thousands of changes, in the memory of Redis. */
const LONGEST_TOLD = 256 * 1024;

export const segmentEntryIn =
  (segment: TrackedSegment): EntryIn =>
  (_, id) => {
    const definition = segmentDefinitionOf(segment.state, segment) ?? null;
    const json = definition && canonicalJson(definition);
    const isLong = json !== null && json.length > LONGEST_TOLD;
    const change: RulesetChange = isLong
      ? { environment: id, reload: true }
      : { environment: id, segment: segment.key, definition };
    return { name: segmentEntry(segment.key), json, change };
  };
