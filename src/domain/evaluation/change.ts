import { type Ruleset } from './ruleset.js';
import { type SegmentDefinition } from './segment-definition.js';

/**
 * One step of the change stream that evaluating processes follow.
 * `environment` is an environmentId; `null` removes the flag or segment. A change of a whole environment
 * (added, deleted, restored, its project too), and of a segment of very many keys, makes readers load that environment
 * again.
 */
export type RulesetChange =
  | Readonly<{ environment: string; flag: string; ruleset: Ruleset | null }>
  | Readonly<{ environment: string; segment: string; definition: SegmentDefinition | null }>
  | Readonly<{ environment: string; reload: true }>;
