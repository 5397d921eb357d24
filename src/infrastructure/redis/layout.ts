/**
 * Where the evaluation snapshot is in Redis. One hash tag, so that one script may touch all keys, also in a cluster.
 *
 * - `rulesets(environmentId)`: hash, flag key → Ruleset as JSON, and `@<segment key>` → SegmentDefinition
 *   as JSON. Of a segment of more than 100 keys this has how many `parts` there are, and `@<segment key>/<nth>` have the
 *   keys. Absent for an environment without any
 * - `environments`: hash, environmentId → `<position>:<count>;2`: log position of the last change applied to its
 *   rulesets, how many entries they have, and the version of this layout. An environment is in it exactly when it can be evaluated: neither it nor
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

/** How many entries the rulesets of an environment have; undefined when it is not said, or in another layout. */
export const countIn = (environment: string): number | undefined => {
  const [, count] = /:(\d+);2$/.exec(environment) ?? [];
  return count === undefined ? undefined : Number(count);
};

export type RedisLayout = ReturnType<typeof redisLayout>;

/** How many entries the change stream keeps; a reader further behind reloads. */
export const CHANGES_KEPT = 10_000;

/** What a script answers: 1 when it wrote, else 0 and where Redis stands instead ('' when it holds nothing). */
export type ScriptReply = readonly [written: number, position?: string, generation?: string];

/** Whether the rulesets of an environment have as many entries as `environments` says. */
const IS_WHOLE = `
local function isWhole(key, environment)
  local known = redis.call('hget', KEYS[2], environment)
  local count = known and string.match(known, ':(%d+);2$')
  return count and tonumber(count) == redis.call('hlen', key)
end`.trim();

const GUARD = `
local current = redis.call('hmget', KEYS[1], 'position', 'generation')
if (current[1] or '') ~= ARGV[1] or (current[2] or '') ~= ARGV[2] then
  return { 0, current[1] or '', current[2] or '' }
end`;

/**
 * Positions are compared as texts: by length, then digit by digit, for Lua's numbers do not hold all of them.
 *
 * One batch and its checkpoint, when Redis stands where the writer left it and nothing of it is missing.
 * KEYS: checkpoint, environments, changes, then the rulesets that are written.
 * ARGV: expected position and generation; new position, recordedAt, changes, entries kept; then operations:
 * name (set, unset, drop), index of the key, environmentId, number of arguments, the arguments.
 */
export const APPLY = `${GUARD}
local last = redis.call('xrevrange', KEYS[3], '+', '-', 'COUNT', 1)
local prev = last[1] and last[1][1] or '0-0'
local held = string.match(prev, '^%d+')
if #held > #ARGV[3] or (#held == #ARGV[3] and held >= ARGV[3]) then
  return { 0, current[1] or '', '' }
end
${IS_WHOLE}
local environments = redis.call('hget', KEYS[1], 'environments')
local lacks = tonumber(environments or -1) ~= redis.call('hlen', KEYS[2])
local checked, at = {}, 7
while ARGV[at] do
  local operation, environment = ARGV[at], ARGV[at + 2]
  if not checked[environment] and operation ~= 'drop' then
    lacks = lacks or not isWhole(KEYS[tonumber(ARGV[at + 1])], environment)
  end
  checked[environment] = true
  at = at + 4 + tonumber(ARGV[at + 3])
end
if lacks then return { 0, current[1] or '', '' } end
at = 7
while ARGV[at] do
  local operation, key = ARGV[at], KEYS[tonumber(ARGV[at + 1])]
  local environment, count = ARGV[at + 2], tonumber(ARGV[at + 3])
  at = at + 4
  if operation == 'drop' then
    redis.call('del', key)
    redis.call('hdel', KEYS[2], environment)
  else
    if count > 0 then
      redis.call(operation == 'set' and 'hset' or 'hdel', key, unpack(ARGV, at, at + count - 1))
    end
    redis.call('hset', KEYS[2], environment, ARGV[3] .. ':' .. redis.call('hlen', key) .. ';2')
  end
  at = at + count
end
redis.call('xadd', KEYS[3], 'MAXLEN', '~', ARGV[6], ARGV[3] .. '-0',
  'prev', prev, 'generation', ARGV[2], 'changes', ARGV[5])
redis.call('hset', KEYS[1], 'position', ARGV[3], 'recordedAt', ARGV[4],
  'environments', redis.call('hlen', KEYS[2]))
return { 1 }`;

/**
 * The end of a refill: staged rulesets take their places, everything else of the old snapshot goes.
 * KEYS: checkpoint, environments, changes, n pairs (staged, final), then rulesets to delete.
 * ARGV: expected position and generation; new position, recordedAt, generation; n; then each environmentId and how
 * many entries its rulesets have.
 */
export const SWAP = `${GUARD}
local pairsEnd = 3 + 2 * tonumber(ARGV[6])
for index = pairsEnd + 1, #KEYS do redis.call('del', KEYS[index]) end
redis.call('del', KEYS[1], KEYS[2], KEYS[3])
for index = 4, pairsEnd, 2 do
  redis.call('persist', KEYS[index])
  redis.call('rename', KEYS[index], KEYS[index + 1])
end
for index = 7, #ARGV, 2 do
  redis.call('hset', KEYS[2], ARGV[index], ARGV[3] .. ':' .. ARGV[index + 1] .. ';2')
end
redis.call('hset', KEYS[1], 'position', ARGV[3], 'recordedAt', ARGV[4], 'generation', ARGV[5],
  'environments', redis.call('hlen', KEYS[2]))
return { 1 }`;
