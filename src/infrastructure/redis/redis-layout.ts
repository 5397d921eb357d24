/**
 * Where the evaluation snapshot is in Redis. One hash tag, so that one script may touch all keys, also in a cluster.
 *
 * - `rulesets(environmentId)`: hash, flag key → Ruleset as JSON, and `@<segment key>` → SegmentDefinition
 *   as JSON. Absent for an environment without any
 * - `environments`: hash, environmentId → `<position>:<count>`: log position of the last change applied to its
 *   rulesets, and how many entries they have. An environment is in it exactly when it can be evaluated: neither it nor
 *   its project is deleted
 * - `checkpoint`: hash, `position` (log position applied), `recordedAt`, `generation` (random, new after every refill),
 *   `environments` (how many there are). So whoever reads can tell when a key or a part of one is missing
 * - `changes`: capped stream, one entry per applied batch: id `<position>-0`; fields `prev` (id of the entry before,
 *   `0-0` for the first), `generation`, and `changes`: JSON of RulesetChange[] ([] for a batch that changed no ruleset)
 * - `staged(generation, environmentId)`: rulesets of a refill that is not finished. Nobody reads them; they expire
 *
 * Every write is one script that first compares `checkpoint` with what the writer left there. A refill gathers its
 * rulesets under `staged` and then, in one script, renames them over the old ones, empties `changes` and sets a new
 * `generation`. So what one transaction (MULTI) reads is never mixed; reads of several transactions belong together
 * when the generation is the same. A reader whose `prev` or `generation` does not match loads everything again.
 */
export const redisLayout = (prefix: string) => ({
  rulesets: (environmentId: string): string => `{${prefix}}:rulesets:${environmentId}`,
  staged: (generation: string, environmentId: string): string =>
    `{${prefix}}:staged:${generation}:${environmentId}`,
  environments: `{${prefix}}:environments`,
  checkpoint: `{${prefix}}:checkpoint`,
  changes: `{${prefix}}:changes`,
});

/** How many entries the rulesets of an environment have; undefined when it is not said. */
export const countIn = (environment: string): number | undefined => {
  const [, count] = /:(\d+)$/.exec(environment) ?? [];
  return count === undefined ? undefined : Number(count);
};

export type RedisLayout = ReturnType<typeof redisLayout>;

/** How many entries the change stream keeps; a reader further behind reloads. */
export const CHANGES_KEPT = 10_000;
