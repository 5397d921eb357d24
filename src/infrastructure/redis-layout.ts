/**
 * Where the evaluation snapshot is in Redis. One hash tag, so that one script may touch all keys, also in a cluster.
 *
 * - `rulesets(environmentId)`: hash, flag key → Ruleset as JSON
 * - `environments`: hash, environmentId → log position of the last change applied to its rulesets
 * - `checkpoint`: hash, `position` (log position applied), `recordedAt`, `generation` (random, new after every refill)
 * - `changes`: capped stream, one entry per applied batch: id `<position>-0`; fields `prev` (id of the entry before,
 *   `0-0` for the first), `generation`, and `changes`: JSON of RulesetChange[] ([] for a batch that changed no ruleset)
 */
export const redisLayout = (prefix: string) => ({
  rulesets: (environmentId: string): string => `{${prefix}}:rulesets:${environmentId}`,
  environments: `{${prefix}}:environments`,
  checkpoint: `{${prefix}}:checkpoint`,
  changes: `{${prefix}}:changes`,
});

export type RedisLayout = ReturnType<typeof redisLayout>;

/** How many entries the change stream keeps; a reader further behind reloads. */
export const CHANGES_KEPT = 10_000;
